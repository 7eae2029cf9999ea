//! `cargo xtask test`: everything that has to pass, from a fresh clone.

use std::process::ExitCode;

use crate::command::{all, cargo, has_cargo_tool};
use crate::deployment;
use crate::openapi;
use crate::page;
use crate::redis;

/// Installs what is missing, builds the binaries that tests start, and runs all
/// tests: first the documentation's, so that the runner's summary comes last.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    redis::ensure()?;
    let built = page::refresh()?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let mut build = cargo();
    build.args(["build", "--workspace", "--bins"]);
    let mut docs = cargo();
    docs.args(["test", "--doc", "--workspace"]);
    let mut tests = cargo();
    if has_cargo_tool("nextest") {
        tests.args(["nextest", "run"]);
    } else {
        eprintln!("cargo-nextest is not installed; using cargo test");
        tests.args(["test", "--all-targets"]);
    }
    // Cargo would otherwise run the packages named as well as all others.
    let named = |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
    if !arguments.iter().any(named) {
        tests.arg("--workspace");
    }
    tests.args(arguments);
    let mut commands = vec![build, docs, tests];
    if arguments.is_empty() {
        commands.extend(page::tests()?);
        commands.extend(deployment::tests());
    }
    let tested = all(commands)?;
    if tested != ExitCode::SUCCESS || !arguments.is_empty() {
        return Ok(tested);
    }
    // With the binaries that are built by now.
    all(openapi::tests())
}
