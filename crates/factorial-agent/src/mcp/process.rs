//! A server that runs as a process of the worker.
//!
//! Invariant: it has a process group of its own, which is killed with the session, so that what a wrapper like a shell
//! has started does not stay behind; nothing of it is left when the worker ends, unless that one is killed itself: then
//! the server's input ends, on which servers stop.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

/// How long a server may take to stop when its input ends.
const STOPS_WITHIN: Duration = Duration::from_secs(2);
/// Bytes of a line of its log that are kept.
const MAX_LINE_BYTES: u64 = 1024;

/// The process; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Option<Pid>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// Of the system.
    pub(super) fn start(
        program: &str,
        args: &[String],
        env: &BTreeMap<String, SecretString>,
    ) -> std::io::Result<(Self, (ChildStdout, ChildStdin))> {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .envs(
                env.iter()
                    .map(|(name, value)| (name, value.expose_secret())),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let pipes = child.stdout.take().zip(child.stdin.take());
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log(program.to_owned(), stderr));
        }
        let process = Self { child, group };
        let pipes = pipes.ok_or_else(|| std::io::Error::other("no pipes"))?;
        Ok((process, pipes))
    }

    /// Waits a little for the end of it, whose input has been closed.
    pub(super) async fn stop(mut self) {
        let _ = tokio::time::timeout(STOPS_WITHIN, self.child.wait()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also after it has ended: others of its group may be left.
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Writes what it says on its standard error to the log.
async fn log(program: String, stderr: ChildStderr) {
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut lines).take(MAX_LINE_BYTES);
        match bounded.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                tracing::debug!(
                    mcp.program = program,
                    line = text.trim_end(),
                    "an mcp server says"
                );
            }
        }
    }
}
