//! A service as a process: its log in a file, its end in our hands.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::binaries::binary;
use crate::eventually;

/// Ends the process when the test is killed in a way that runs no destructor: the pipe that it reads from closes.
const GUARD: &str = r#"read -r _; kill -KILL "$1""#;

/// Lines of a log that a failed test shows.
const TAIL: usize = 60;

/// A running service. Dropping it kills it.
pub struct Process {
    name: String,
    pid: u32,
    log: PathBuf,
    running: Mutex<Running>,
}

struct Running {
    child: Child,
    guard: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a binary of ours in `dir`, with nothing of the test's environment but `PATH` and what `envs` says.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub(super) fn start(
        program: &str,
        name: &str,
        args: &[String],
        envs: &[(&str, String)],
        dir: &Path,
    ) -> Self {
        Self::start_program(&binary(program), name, args, envs, dir)
    }

    /// The same for any program.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub(crate) fn start_program(
        program: &Path,
        name: &str,
        args: &[String],
        envs: &[(&str, String)],
        dir: &Path,
    ) -> Self {
        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log).expect("a log file");
        let child = Command::new(program)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(envs.iter().map(|(name, value)| (name, value)))
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a log file"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{} does not start: {e}", program.display()));
        let guard = Command::new("sh")
            .args([
                "-c",
                GUARD,
                "factorial-tests-guard",
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let pid = child.id();
        let running = Mutex::new(Running {
            child,
            guard,
            ended: None,
        });
        Self {
            name: name.to_owned(),
            pid,
            log,
            running,
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is called in logs of tests.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        let mut running = self.running();
        if running.ended.is_none()
            && let Some(status) = running.child.try_wait().expect("our child")
        {
            running.ended = Some(status);
            // Killed, not closed: a closed pipe would make it kill whoever has the id by then.
            let _ = running.guard.kill();
            let _ = running.guard.wait();
        }
        running.ended
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it has not ended within `deadline`.
    pub async fn exit(&self, deadline: Duration) -> ExitStatus {
        eventually(deadline, async || self.ended()).await
    }

    fn signal(&self, signal: Signal) {
        assert!(self.ended().is_none(), "{} has ended", self.name);
        let pid = i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process(pid, signal).unwrap_or_else(|e| panic!("{}: {e}", self.name));
    }

    /// `kill -9`; returns when it is gone. Nothing happens when it has ended already.
    pub fn kill9(&self) {
        if self.ended().is_some() {
            return;
        }
        {
            let mut running = self.running();
            let _ = running.child.kill();
            running.ended = running.child.wait().ok();
            let _ = running.guard.kill();
            let _ = running.guard.wait();
        }
    }

    /// Asks it to end.
    pub fn sigterm(&self) {
        self.signal(Signal::TERM);
    }

    /// Freezes it.
    pub fn sigstop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn sigcont(&self) {
        self.signal(Signal::CONT);
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}
