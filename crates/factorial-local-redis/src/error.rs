//! Why a server did not start, or did not do what it was told.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why [`crate::LocalRedis::start`] or a restart failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A real server was asked for and none is installed.
    #[error(
        "no redis-server or valkey-server on PATH; install one with `apt-get install redis-server` \
         (Debian, Ubuntu), `dnf install valkey` (Fedora) or `brew install redis` (macOS)"
    )]
    NotInstalled,
    /// Another process uses the data directory.
    #[error("{} is in use by process {holder}; stop it or choose another directory", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The process id that the other process left, or `unknown`.
        holder: String,
    },
    /// A server that an earlier process left behind could not be stopped.
    #[error("an earlier server (process {pid}) still runs in {} and does not stop", dir.display())]
    Orphan {
        /// The directory.
        dir: PathBuf,
        /// Its process id.
        pid: i32,
    },
    /// A file or directory could not be used.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// The reason.
        source: io::Error,
    },
    /// No socket path is short enough.
    #[error("the temporary directory {} is too long for a Unix socket; use a TCP port", dir.display())]
    SocketPath {
        /// The directory that was tried last.
        dir: PathBuf,
    },
    /// The child ended before it was ready.
    #[error("{} ended at start ({status}); the end of its log:\n{log}", program.display())]
    Exited {
        /// The program.
        program: PathBuf,
        /// Its exit status.
        status: String,
        /// The last lines that it logged.
        log: String,
    },
    /// The server did not answer in time.
    #[error("no answer from {address} within {within:?}")]
    NotReady {
        /// The address.
        address: String,
        /// The time that was allowed.
        within: Duration,
    },
    /// The snapshot of the in-process engine cannot be read.
    #[error("cannot load {}: {reason}; move the file away to start empty", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The in-process engine refused a setting.
    #[error("the in-process engine refused the setting {name}: {reply}")]
    Config {
        /// The setting.
        name: String,
        /// The engine's answer.
        reply: String,
    },
    /// The running server could not be stopped for a restart.
    #[error("cannot stop the running server: {0}")]
    Stop(#[from] ControlError),
}

/// Why a running server did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing runs.
    #[error("the server is not running")]
    NotRunning,
    /// The signal could not be sent, or the process not be waited for.
    #[error("cannot {action} process {pid}: {source}")]
    Process {
        /// What was tried.
        action: &'static str,
        /// The process id.
        pid: u32,
        /// The reason.
        source: io::Error,
    },
    /// A clean stop took too long, so the process was killed.
    #[error("process {pid} did not stop within {within:?} and was killed")]
    StopTimeout {
        /// The process id.
        pid: u32,
        /// The time that was allowed.
        within: Duration,
    },
    /// The in-process engine ended by a panic or an error of its own.
    #[error("the in-process engine failed: {0}")]
    Engine(String),
}
