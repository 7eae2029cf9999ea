//! `factorial-gateway`: REST and event streams for clients.

use std::process::ExitCode;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    factorial_gateway::main(std::env::args_os().collect())
}
