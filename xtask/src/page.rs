//! `cargo xtask page`: the dashboard's page, which the dashboard embeds when it is built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use crate::apt;
use crate::command::{all, on_path, root, status, which};

/// What is needed, and where it is.
const NODE: &str = "20.19 or newer, https://nodejs.org";
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

/// Where cargo puts what it builds.
fn binaries() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("debug")
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
fn install(page: &Path) -> anyhow::Result<bool> {
    let changed = |path: &str| {
        fs::metadata(page.join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    // Written by npm at the end of an installation.
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(true);
    }
    Ok(status(&mut npm(page, &["ci", "--no-audit", "--no-fund"]))?.success())
}

fn build(page: &Path) -> anyhow::Result<ExitCode> {
    all([npm(page, &["run", "build"])])
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
