//! `factorial`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    factorial_cli::main(std::env::args_os())
}
