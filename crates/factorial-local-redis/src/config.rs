//! What this crate takes from the environment: programs on PATH.

use std::path::PathBuf;

/// The first Redis-compatible server on PATH.
pub(crate) fn find_server() -> Option<PathBuf> {
    ["redis-server", "valkey-server"]
        .into_iter()
        .find_map(|name| which::which(name).ok())
}
