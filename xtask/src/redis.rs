//! Makes sure of the server that the tests start: a real one, not the in-process engine.

use anyhow::bail;

use crate::apt;
use crate::command::on_path;

/// Finds redis-server or valkey-server, or installs one where that needs no question.
pub(crate) fn ensure() -> anyhow::Result<()> {
    if on_path("redis-server") || on_path("valkey-server") {
        return Ok(());
    }
    if apt::is_usable() {
        return apt::install("redis-server");
    }
    bail!(
        "the tests start redis-server (or valkey-server), and neither is on PATH; install one:\n  \
         Debian, Ubuntu:  sudo apt-get install redis-server\n  \
         Fedora:          sudo dnf install valkey\n  \
         macOS:           brew install redis"
    )
}
