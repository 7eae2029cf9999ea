//! The child process: its arguments, its start, and its end.
//!
//! [`crate::LocalRedis`] drives it. The process never outlives the value: it is
//! stopped on drop, and by the watchdog when no drop runs.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::orphan;
use super::watchdog::Watchdog;
use crate::address::Address;
use crate::error::{ControlError, StartError};
use crate::probe::{self, Answer};

/// How long a clean stop may take: it flushes the append-only file.
const STOP_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// A server, running or stopped, that always starts on the same data and address.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    program: PathBuf,
    dir: PathBuf,
    config: Vec<(String, String)>,
    ready_within: Duration,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    // None once the process has ended: its id may then belong to somebody else.
    watchdog: Option<Watchdog>,
}

impl ServerProcess {
    /// A server that is not running yet, with its data in `dir`.
    pub(crate) fn new(
        program: PathBuf,
        dir: PathBuf,
        config: Vec<(String, String)>,
        ready_within: Duration,
    ) -> Self {
        Self {
            program,
            dir,
            config,
            ready_within,
            running: None,
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// Starts the child and waits until it answers.
    pub(crate) fn start(&mut self, address: &Address) -> Result<(), StartError> {
        orphan::replace(&self.dir)?;
        let child = Command::new(&self.program)
            .args(self.arguments(address))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|source| StartError::Io {
                action: "run",
                path: self.program.clone(),
                source,
            })?;
        let watchdog = Watchdog::guard(child.id());
        let pid = child.id();
        self.running = Some(Running {
            child,
            watchdog: Some(watchdog),
        });
        let ready = orphan::note(&self.dir, pid, address).and_then(|()| self.await_ready(address));
        if ready.is_err() {
            self.kill();
        }
        ready
    }

    /// The command line: every setting as `--name value`.
    fn arguments(&self, address: &Address) -> Vec<String> {
        let mut settings: Vec<(&str, String)> = vec![
            ("dir", self.dir.display().to_string()),
            ("logfile", self.log().display().to_string()),
            ("daemonize", "no".into()),
            // Every accepted write is in the file within a second, and survives a
            // kill of the server at once, because the reply follows the write.
            ("appendonly", "yes".into()),
            ("appendfsync", "everysec".into()),
            ("save", String::new()),
            ("maxmemory-policy", "noeviction".into()),
        ];
        match address {
            Address::Unix(path) => settings.extend([
                ("port", "0".into()),
                ("unixsocket", path.display().to_string()),
                ("unixsocketperm", "700".into()),
            ]),
            Address::Tcp(port) => {
                settings.extend([("bind", "127.0.0.1".into()), ("port", port.to_string())]);
            }
        }
        let own = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        own.chain(self.config.iter().cloned())
            .flat_map(|(name, value)| [format!("--{name}"), value])
            .collect()
    }

    fn log(&self) -> PathBuf {
        self.dir.join("redis.log")
    }

    fn await_ready(&mut self, address: &Address) -> Result<(), StartError> {
        let mut deadline = Instant::now() + self.ready_within;
        loop {
            if let Some(status) = self.exit_status() {
                return Err(StartError::Exited {
                    program: self.program.clone(),
                    status,
                    log: log_tail(&self.log()),
                });
            }
            match probe::ping(address) {
                Ok(Answer::Ready | Answer::Other) => return Ok(()),
                Ok(Answer::Loading) => deadline = Instant::now() + self.ready_within,
                Err(_) if Instant::now() < deadline => {}
                Err(_) => {
                    return Err(StartError::NotReady {
                        address: address.to_string(),
                        within: self.ready_within,
                    });
                }
            }
            thread::sleep(POLL);
        }
    }

    fn exit_status(&mut self) -> Option<String> {
        let running = self.running.as_mut()?;
        let ended = match running.child.try_wait() {
            Ok(status) => status.map(|status| status.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if ended.is_some() {
            running.watchdog = None;
        }
        ended
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.running.is_some() && self.exit_status().is_none()
    }

    /// Asks the server to stop, and waits for it.
    pub(crate) fn stop(&mut self) -> Result<(), ControlError> {
        if !self.is_running() {
            self.kill();
            return Err(ControlError::NotRunning);
        }
        // TERM makes it flush and exit; CONT lets a stopped one see the TERM.
        self.signal("stop", Signal::TERM)?;
        self.signal("continue", Signal::CONT)?;
        let deadline = Instant::now() + STOP_WITHIN;
        while self.is_running() {
            if Instant::now() > deadline {
                let pid = self.pid().unwrap_or_default();
                self.kill();
                return Err(ControlError::StopTimeout {
                    pid,
                    within: STOP_WITHIN,
                });
            }
            thread::sleep(POLL);
        }
        self.kill();
        Ok(())
    }

    /// `kill -9`, and nothing else; no error if it has ended already.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let killed = running.child.kill();
            running.watchdog = None;
            if let Err(error) = killed.and_then(|()| running.child.wait()) {
                tracing::warn!(%error, "local redis did not end");
            }
            orphan::forget(&self.dir);
        }
    }

    /// Sends one signal to the running process.
    pub(crate) fn signal(
        &mut self,
        action: &'static str,
        signal: Signal,
    ) -> Result<(), ControlError> {
        if !self.is_running() {
            return Err(ControlError::NotRunning);
        }
        let running = self.running.as_ref().ok_or(ControlError::NotRunning)?;
        kill_process(Pid::from_child(&running.child), signal).map_err(|errno| {
            ControlError::Process {
                action,
                pid: running.child.id(),
                source: io::Error::from(errno),
            }
        })
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of the log, for the error of a failed start.
fn log_tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
