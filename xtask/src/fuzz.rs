//! `cargo xtask fuzz`: the tests named `fuzz_…`, each for so long instead of so many cases.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::command::{all, cargo};

/// Packages with parsers of outside input.
const PACKAGES: [&str; 5] = [
    "factorial-agent",
    "factorial-core",
    "factorial-dashboard",
    "factorial-rest",
    "factorial-service",
];
/// Seconds of each target where none are given.
const USUAL: u64 = 600;

/// Runs every target; as many at once as there are cores.
///
/// # Errors
/// When the argument is no number of seconds.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let seconds = match arguments {
        [] => USUAL,
        [seconds, ..] => seconds
            .parse()
            .with_context(|| format!("`{seconds}` is not a number of seconds"))?,
    };
    let mut tests = cargo();
    tests.args(["test", "--no-fail-fast", "--lib", "--tests"]);
    for package in PACKAGES {
        tests.args(["--package", package]);
    }
    tests
        .args(["fuzz_", "--", "--nocapture"])
        .env("FACTORIAL_FUZZ_SECONDS", seconds.to_string());
    all([tests])
}
