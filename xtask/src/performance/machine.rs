//! What was measured on, and which code.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::Context as _;

use crate::command::root;

/// A sentence.
pub(super) fn describe(server: &str) -> anyhow::Result<String> {
    let cores = available_parallelism().context("the number of cores")?;
    let model = line("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = line("/proc/meminfo", "MemTotal").and_then(|text| gigabytes(&text));
    let memory = memory.map_or_else(String::new, |gb| format!(", {gb} GB of memory"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim();
    // Sources may have come without their history.
    let commit = git(&["show", "-s", "--format=%h of %cs"]).unwrap_or("unknown".to_owned());
    // The document is being written.
    let others = ["--untracked-files=no", "--", ".", ":!docs/performance.md"];
    let changes = git(&[["status", "--porcelain"].as_slice(), &others].concat());
    let changed = match changes {
        Some(changes) if !changes.is_empty() => ", with changes",
        _ => "",
    };
    Ok(format!(
        "Measured with commit {commit}{changed}, on {cores} cores ({model}){memory}, Linux {kernel}, {server} with an \
         append-only file synced every second on the same machine."
    ))
}

/// The value of the first line that starts with `name`.
fn line(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Of a text such as `24689712 kB`.
fn gigabytes(text: &str) -> Option<u64> {
    let kib: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(kib.div_ceil(1024 * 1024))
}

fn git(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    let done = git.args(arguments).current_dir(root()).output().ok()?;
    let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    done.status.success().then_some(text)
}
