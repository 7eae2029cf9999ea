//! Ends the server when this process ends in a way that runs no destructor.
//!
//! A shell waits at the read end of a pipe whose only write end is ours. When we
//! are gone, by whatever signal, the kernel closes it, the shell wakes up, and
//! stops the server cleanly. It lives in its own process group, so that Ctrl-C in a
//! terminal reaches neither it nor the server before the caller has shut down.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

/// `$1` is the server. CONT follows TERM because a stopped process sees no TERM.
const SCRIPT: &str = r#"read -r _; kill -TERM "$1"; kill -CONT "$1""#;

/// Guards one server process until it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog(Option<Child>);

impl Watchdog {
    /// Starts to guard `pid`. Without a shell there is no guard, only a warning:
    /// the next start in the same directory still finds the server left behind.
    pub(crate) fn guard(pid: u32) -> Self {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "factorial-redis-watchdog"])
            .arg(pid.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match child {
            Ok(child) => Self(Some(child)),
            Err(error) => {
                tracing::warn!(%error, "no watchdog for the local redis");
                Self(None)
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // Killed, not closed: a closed pipe would make it signal a process id
            // that may belong to somebody else by now.
            let killed = child.kill().and_then(|()| child.wait());
            if let Err(error) = killed {
                tracing::warn!(%error, "watchdog of the local redis did not end");
            }
        }
    }
}
