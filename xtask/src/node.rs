//! Projects that need Node: the dashboard's page, and the tools that judge the OpenAPI documents.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{on_path, status};

/// What is needed, and where it is.
const NODE: &str = "20.19 or newer, https://nodejs.org";
/// What there is not, and how to get it.
pub(crate) fn missing(project: &Path) -> Option<String> {
    if !project.join("package.json").is_file() {
        return Some(format!(
            "there is no {}",
            project.join("package.json").display()
        ));
    }
    if let Some(program) = ["node", "npm"].into_iter().find(|name| !on_path(name)) {
        return Some(format!("{program} is not installed ({NODE})"));
    }
    let version = node_version();
    let enough = version.is_some_and(|version| version >= (20, 19));
    (!enough).then(|| format!("node is too old ({NODE})"))
}

/// Major and minor.
fn node_version() -> Option<(u32, u32)> {
    let output = Command::new("node").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Fetches what it needs, if that has changed. Whether it is there.
pub(crate) fn install(project: &Path) -> anyhow::Result<bool> {
    let changed = |path: &str| {
        fs::metadata(project.join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    // Written by npm at the end of an installation.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(true);
    }
    Ok(status(&mut npm(project, &["ci", "--no-audit", "--no-fund"]))?.success())
}

pub(crate) fn npm(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(project).args(arguments);
    command
}
