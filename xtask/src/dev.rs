//! `cargo xtask dev`: everything in one process, from a fresh clone.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use crate::command::{cargo, root};
use crate::page;

/// Builds the page if it is old, and the CLI, and becomes `factorial dev` with these arguments. It takes the
/// place of this process, so that signals and Ctrl-C reach it alone.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let built = page::refresh()?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let mut command = cargo();
    command.args(["run", "--package", "factorial-cli", "--bin", "factorial"]);
    command
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"));
    command.args(["--", "dev"]).args(arguments);
    // Where the caller stands: paths in its arguments, and `.factorial/`, mean that directory.
    command.current_dir(env::current_dir()?);
    Err(command.exec().into())
}
