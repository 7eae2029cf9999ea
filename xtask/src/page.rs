//! `cargo xtask page`: the dashboard's page, which the dashboard embeds when it is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crate::apt;
use crate::command::{all, binaries, root, which};
use crate::node::{install, missing, npm};

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
    if !install(&page)? {
        return Ok(ExitCode::FAILURE);
    }
    build(&page)
}

/// Builds it if it is older than its sources. Without Node, or what npm would have to fetch, it says so, and the dashboard goes
/// without.
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
    if !install(&page)? {
        eprintln!("the dashboard is built without its page: npm could not fetch what it needs");
        return Ok(ExitCode::SUCCESS);
    }
    build(&page)
}

/// What tests it: its logic and form, then the whole of it against the real system in a browser. Nothing without Node, or
/// where there is no browser; then it says so.
///
/// # Errors
/// When a browser cannot be installed.
pub(crate) fn tests() -> anyhow::Result<Vec<Command>> {
    let page = place();
    if let Some(missing) = missing(&page) {
        eprintln!("the page is not tested: {missing}");
        return Ok(Vec::new());
    }
    if !install(&page)? {
        eprintln!("the page is not tested: npm could not fetch what it needs");
        return Ok(Vec::new());
    }
    let mut commands = vec![npm(&page, &["run", "lint"]), npm(&page, &["test"])];
    let Some(browser) = browser()? else {
        eprintln!("the page is not tested in a browser: chromium is not installed");
        return Ok(commands);
    };
    let mut system = Command::new("node");
    system
        .current_dir(&page)
        .arg("e2e/system.mjs")
        .env("CHROMIUM", browser)
        .env("FACTORIAL_BIN", binaries());
    commands.push(system);
    Ok(commands)
}

fn browser() -> anyhow::Result<Option<PathBuf>> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let find = || names.iter().find_map(|name| which(name));
    if find().is_none() && apt::is_usable() {
        apt::install("chromium")?;
    }
    Ok(find())
}

fn place() -> PathBuf {
    root().join("services/dashboard/page")
}

fn build(page: &Path) -> anyhow::Result<ExitCode> {
    all([npm(page, &["run", "build"])])
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
