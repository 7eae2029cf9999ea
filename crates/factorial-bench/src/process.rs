//! The processes of a stage: started, watched, and ended from here.
//!
//! Invariant: dropping one kills it, and it ends by itself when this process is gone.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::error::BenchError;
use crate::options::Surroundings;
use crate::report::Measure;
use crate::role::{Ready, Spec};
use crate::stats::number;

/// How long a role may take to be ready.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take to end.
const ENDED_WITHIN: Duration = Duration::from_secs(10);
/// Lines of its log that an error shows.
const TAIL: usize = 20;
const MIB: f64 = 1_048_576.0;

/// One of them.
pub(crate) struct RoleProcess {
    role: &'static str,
    child: Child,
    log: PathBuf,
    ready: Ready,
}

impl RoleProcess {
    /// Starts a role, with its log in `dir`, and waits until it works. It sees nothing of our environment.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn start(
        surroundings: &Surroundings,
        spec: &Spec,
        dir: &Path,
    ) -> Result<Self, BenchError> {
        let role = spec.name();
        let unique = (surroundings.unique)();
        let log = dir.join(format!("{role}-{unique}.log"));
        let spawn_error = |source| BenchError::Spawn {
            role,
            program: surroundings.program.display().to_string(),
            source,
        };
        let mut line = serde_json::to_string(spec).map_err(|error| spawn_error(error.into()))?;
        line.push('\n');
        let mut child = Command::new(&surroundings.program)
            .args(&surroundings.role_args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).map_err(spawn_error)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(spawn_error)?;
        let stdout = child.stdout.take();
        if let Some(stdin) = &mut child.stdin {
            // One that ends at once reads nothing; its log says why.
            let _ = stdin.write_all(line.as_bytes()).await;
        }
        let mut process = Self {
            role,
            child,
            log,
            ready: Ready::default(),
        };
        process.ready = match timeout(READY_WITHIN, first_line(stdout)).await {
            Ok(Some(ready)) => ready,
            Ok(None) => return Err(process.failure("ended before it was ready")),
            Err(_) => {
                let problem = format!("was not ready within {} s", READY_WITHIN.as_secs());
                return Err(process.failure(problem));
            }
        };
        Ok(process)
    }

    fn failure(&self, problem: impl Into<String>) -> BenchError {
        BenchError::Role {
            role: self.role,
            problem: problem.into(),
            log: self.log_tail(),
        }
    }

    /// Where it listens, if it does.
    pub(crate) fn url(&self) -> &str {
        self.ready.url.as_deref().unwrap_or_default()
    }

    /// The last lines of its log.
    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    /// Its log has this text.
    pub(crate) fn has_logged(&self, text: &str) -> bool {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).contains(text)
    }

    /// CPU time that it has used, µs; none where the system does not tell.
    pub(crate) fn cpu_us(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // The name in brackets may hold spaces; user and kernel time are the 12th and 13th fields behind it.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let ticks = ticks()? + ticks()?;
        let by_second = rustix::param::clock_ticks_per_second();
        Some(number(ticks) * 1e6 / number(by_second))
    }

    /// The most memory that it has had resident; none where the system does not tell.
    pub(crate) fn peak_memory(&self) -> Option<Measure> {
        let mib = self.memory_mib("VmHWM:")?;
        Some(Measure::new(format!("{} rss, peak", self.role), "MiB", mib))
    }

    /// Resident memory now, MiB; none where the system does not tell.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        self.memory_mib("VmRSS:")
    }

    fn memory_mib(&self, line: &str) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let found = status.lines().find_map(|l| l.strip_prefix(line))?;
        let kib: u64 = found.split_ascii_whitespace().next()?.parse().ok()?;
        Some(number(kib * 1024) / MIB)
    }

    /// Ends it in the middle of whatever it does, as a crash would.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) async fn kill(mut self) -> Result<(), BenchError> {
        self.child.kill().await.map_err(|source| BenchError::Io {
            action: "kill a process of ours",
            source,
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it had ended before.
    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Err(self.failure(format!("ended by itself ({status})")));
        }
        drop(self.child.stdin.take());
        if timeout(ENDED_WITHIN, self.child.wait()).await.is_err() {
            return Err(self.failure(format!("did not end within {} s", ENDED_WITHIN.as_secs())));
        }
        Ok(())
    }
}

async fn first_line(stdout: Option<ChildStdout>) -> Option<Ready> {
    let mut lines = BufReader::new(stdout?).lines();
    let line = lines.next_line().await.ok()??;
    serde_json::from_str(&line).ok()
}
