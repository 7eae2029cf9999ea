//! `cargo xtask lint`: formatting, lints, documentation, and dependencies.

use std::process::ExitCode;

use crate::command::{all, cargo, has_cargo_tool};

/// Runs every check, cheapest first, up to the first that fails.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut format = cargo();
    format.args(["fmt", "--all", "--check"]);
    let mut clippy = cargo();
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    let mut docs = cargo();
    docs.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    let mut checks = vec![format, clippy, docs];
    if has_cargo_tool("deny") {
        let mut deny = cargo();
        deny.args(["deny", "check"]);
        checks.push(deny);
    } else {
        eprintln!("cargo-deny is not installed; licenses and advisories are not checked");
    }
    all(checks)
}
