//! A server that an earlier owner of the directory left behind.
//!
//! Called with the directory's lock held, so the owner is dead and the server has
//! no user. It is stopped cleanly and replaced, never joined: it may run with other
//! settings. A process is touched only if its command line shows that it is a Redis
//! server at the recorded address, because process ids are used again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::address::Address;
use crate::error::StartError;
use crate::place::io_error;

/// How long the server may take to stop cleanly, and again after a kill.
const GRACE: Duration = Duration::from_secs(5);

fn record(dir: &Path) -> PathBuf {
    dir.join("redis.pid")
}

/// Notes that `pid` serves `dir` at `address`.
pub(crate) fn note(dir: &Path, pid: u32, address: &Address) -> Result<(), StartError> {
    let path = record(dir);
    fs::write(&path, format!("{pid}\n{}\n", address.marker())).map_err(io_error("write", &path))
}

/// Removes the note of a server that has ended.
pub(crate) fn forget(dir: &Path) {
    if let Err(error) = fs::remove_file(record(dir)) {
        tracing::debug!(%error, "no note of the local redis to remove");
    }
}

/// Stops the server that the note in `dir` names, if it still runs.
///
/// # Errors
/// [`StartError::Orphan`] when it outlives a kill.
pub(crate) fn replace(dir: &Path) -> Result<(), StartError> {
    let Ok(text) = fs::read_to_string(record(dir)) else {
        return Ok(());
    };
    let mut lines = text.lines();
    let raw = lines
        .next()
        .and_then(|line| line.trim().parse::<i32>().ok());
    let (Some(raw), Some(marker)) = (raw, lines.next()) else {
        return Ok(());
    };
    let Some(pid) = Pid::from_raw(raw) else {
        return Ok(());
    };
    for signal in [Signal::TERM, Signal::KILL] {
        if !is_server(raw, marker) {
            forget(dir);
            return Ok(());
        }
        tracing::info!(pid = raw, ?signal, "stopping the redis of an earlier run");
        for signal in [signal, Signal::CONT] {
            if let Err(error) = kill_process(pid, signal) {
                tracing::debug!(%error, pid = raw, "signal not delivered");
            }
        }
        let deadline = Instant::now() + GRACE;
        while is_server(raw, marker) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
    if is_server(raw, marker) {
        return Err(StartError::Orphan {
            dir: dir.to_path_buf(),
            pid: raw,
        });
    }
    forget(dir);
    Ok(())
}

/// Whether `pid` runs a Redis server at the address with this marker. A zombie has
/// no command line, and so is none.
fn is_server(pid: i32, marker: &str) -> bool {
    let line = command_line(pid);
    (line.contains("redis-server") || line.contains("valkey-server")) && line.contains(marker)
}

fn command_line(pid: i32) -> String {
    if let Ok(raw) = fs::read(format!("/proc/{pid}/cmdline")) {
        return String::from_utf8_lossy(&raw).replace('\0', " ");
    }
    // Systems without /proc have ps in their base system.
    Command::new("ps")
        .args(["-o", "command=", "-p"])
        .arg(pid.to_string())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}
