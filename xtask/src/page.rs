//! `cargo xtask page`: the dashboard's page, which the dashboard embeds when it is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crate::command::{all, on_path, root};

/// What is not a source of the page.
const MADE: [&str; 2] = ["dist", "node_modules"];

/// Builds it.
///
/// # Errors
/// When a program cannot be run.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let page = place();
    if let Some(missing) = missing(&page) {
        eprintln!("error: the page is not built: {missing}");
        return Ok(ExitCode::FAILURE);
    }
    build(&page)
}

/// Builds it if it is older than its sources. Without Node it says so, and the dashboard goes without.
///
/// # Errors
/// When a program cannot be run.
pub(crate) fn refresh() -> anyhow::Result<ExitCode> {
    let page = place();
    if let Some(missing) = missing(&page) {
        eprintln!("the dashboard is built without its page: {missing}");
        return Ok(ExitCode::SUCCESS);
    }
    if !is_stale(&page) {
        return Ok(ExitCode::SUCCESS);
    }
    build(&page)
}

fn place() -> PathBuf {
    root().join("services/dashboard/page")
}

/// What there is not, and how to get it.
fn missing(page: &Path) -> Option<String> {
    if !page.join("package.json").is_file() {
        return Some(format!(
            "there is no {}",
            page.join("package.json").display()
        ));
    }
    let program = ["node", "npm"].into_iter().find(|name| !on_path(name))?;
    Some(format!(
        "{program} is not installed (Node 20 or newer, https://nodejs.org)"
    ))
}

fn build(page: &Path) -> anyhow::Result<ExitCode> {
    let mut commands = Vec::new();
    let changed = |path: &str| {
        fs::metadata(page.join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    // Written by npm at the end of an installation.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_none() || installed < changed("package-lock.json") {
        // Not `ci`: it refuses a lock file that was written where packages for other platforms could not be had.
        commands.push(npm(page, &["install", "--no-save", "--no-audit", "--no-fund"]));
    }
    commands.push(npm(page, &["run", "build"]));
    all(commands)
}

fn npm(page: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(page).args(arguments);
    command
}

fn is_stale(page: &Path) -> bool {
    let built = fs::metadata(page.join("dist/index.html")).and_then(|file| file.modified());
    let Ok(built) = built else {
        return true;
    };
    newest(page).is_some_and(|changed| changed > built)
}

/// When a source was changed last.
fn newest(dir: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(dir).ok()?.flatten();
    let sources = entries.filter(|entry| !MADE.iter().any(|made| entry.file_name() == *made));
    let changed = sources.filter_map(|entry| {
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            newest(&entry.path())
        } else {
            entry.metadata().and_then(|file| file.modified()).ok()
        }
    });
    changed.max()
}
