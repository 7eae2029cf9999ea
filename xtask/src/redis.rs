//! Makes sure of the server that the tests start: a real one, not the in-process engine.

use std::process::Command;

use anyhow::bail;

use crate::command::{on_path, status, succeeds};

/// Finds redis-server or valkey-server, or installs one where that needs no question.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if on_path("redis-server") || on_path("valkey-server") {
        return Ok(());
    }
    if on_path("apt-get") && is_root() {
        return install();
    }
    bail!(
        "the tests start redis-server (or valkey-server), and neither is on PATH; install one:\n  \
         Debian, Ubuntu:  sudo apt-get install redis-server\n  \
         Fedora:          sudo dnf install valkey\n  \
         macOS:           brew install redis"
    )
}

fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn install() -> anyhow::Result<()> {
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // The lists may be missing in a container, or old; if they cannot be had, the
    // installation says why.
    if !status(apt().args(["update", "-q"]))?.success() {
        eprintln!("apt-get update failed; trying with the package lists that are here");
    }
    // The tests start their own servers: the package's service would only hold a port.
    let installed = status(apt().args([
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "redis-server",
    ]))?;
    if !installed.success() {
        bail!("apt-get could not install redis-server ({installed})");
    }
    if !succeeds(Command::new("redis-server").arg("--version")) {
        bail!("redis-server was installed and does not run");
    }
    Ok(())
}
