//! `factorial-worker`: claims tasks and runs their turns.

use std::process::ExitCode;

/// Faster than the system's for many small allocations in several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    factorial_worker::main(std::env::args_os().collect())
}
