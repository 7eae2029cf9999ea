//! What other people's tools say of the OpenAPI documents and of a system that serves them (`tests/openapi`).

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};

use crate::command::{all, binaries, root};
use crate::{node, python};

const REQUIREMENTS: &str = "tests/openapi/requirements.txt";

/// What judges the documents, where Node is, and what uses them, where Python is. Where one of them is not, or cannot get what
/// it needs, it says so. To be made when the binaries are built.
pub(crate) fn tests() -> Vec<Command> {
    let mut commands = Vec::new();
    match linters() {
        Ok(linters) => commands.extend(linters),
        Err(missing) => eprintln!("the OpenAPI documents are not judged: {missing:#}"),
    }
    match users(None) {
        Ok(users) => commands.push(users),
        Err(missing) => eprintln!("the OpenAPI documents are not used: {missing:#}"),
    }
    commands
}

/// `cargo xtask schemathesis SECONDS`: the same for longer.
///
/// # Errors
/// When something is missing.
pub(crate) fn schemathesis(seconds: &str) -> anyhow::Result<ExitCode> {
    all([users(Some(seconds))?])
}

fn linters() -> anyhow::Result<Vec<Command>> {
    let project = root().join("tests/openapi");
    if let Some(missing) = node::missing(&project) {
        bail!("{missing}");
    }
    if !node::install(&project)? {
        bail!("npm could not fetch what it needs");
    }
    let documents = [document("gateway")?, document("dashboard")?];
    let linter = |name| {
        let mut npm = node::npm(&project, &["run", "--silent", name, "--"]);
        npm.args(&documents);
        npm
    };
    Ok(vec![linter("redocly"), linter("spectral")])
}

/// A file with the document of a service.
fn document(service: &str) -> anyhow::Result<PathBuf> {
    let place = binaries().with_file_name("openapi");
    fs::create_dir_all(&place)?;
    let path = place.join(format!("{service}.json"));
    let mut print = Command::new(binaries().join("factorial"));
    print.args(["openapi", "--service", service]);
    let done = print
        .stdout(Stdio::from(fs::File::create(&path)?))
        .status()
        .context("cannot run factorial")?;
    if !done.success() {
        bail!("`factorial openapi` ended with {done}");
    }
    Ok(path)
}

fn users(seconds: Option<&str>) -> anyhow::Result<Command> {
    let mut command = Command::new(python::environment("openapi", REQUIREMENTS)?);
    command
        .current_dir(root())
        .args(["-B", "tests/openapi/test_tools.py"])
        .env("FACTORIAL_BIN", binaries());
    if let Some(seconds) = seconds {
        command.env("SCHEMATHESIS_SECONDS", seconds);
    }
    Ok(command)
}
