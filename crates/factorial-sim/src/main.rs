//! The `factorial-sim` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    factorial_sim::main(std::env::args_os().collect())
}
