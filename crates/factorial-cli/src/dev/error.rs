//! Why `factorial dev` did not start, or ended by itself. Each text says what to change.

use std::io;
use std::path::PathBuf;

use factorial_service::config::ConfigErrors;

use crate::exit::Exit;

/// Why everything ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error("{0}")]
    Config(#[from] ConfigErrors),
    #[error(
        "another `factorial dev` (process {holder}) uses {}\n  \
         stop it, start this one in another directory, or name another with --data-dir", dir.display()
    )]
    InUse { dir: PathBuf, holder: String },
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "port {port} of {host} is taken, so the {role} cannot listen there\n  \
         choose another port with {flag} PORT or {variable} (0 takes any free one)"
    )]
    PortTaken {
        role: &'static str,
        host: String,
        port: u16,
        flag: &'static str,
        variable: &'static str,
    },
    #[error("the {role} cannot listen on {host}:{port}: {source}\n  see {flag}")]
    Listen {
        role: &'static str,
        host: String,
        port: u16,
        flag: &'static str,
        source: io::Error,
    },
    #[error("{0}")]
    Tls(#[from] factorial_gateway::TlsError),
    #[error("{0}")]
    Access(#[from] factorial_gateway::AccessError),
    #[error("{0}")]
    Redis(#[from] factorial_local_redis::StartError),
    #[error("{0}")]
    Connect(#[from] factorial_core::ConnectError),
    #[error("cannot read the tasks: {0}")]
    Store(#[from] factorial_core::StoreError),
    #[error(
        "{0}\n  that is the Redis of your settings (redis_url, redis_host or redis_port); without them \
         a private one is started"
    )]
    Configured(factorial_core::ConnectError),
    #[error("{0}")]
    Traces(#[from] factorial_service::trace::TraceError),
    #[error("{0}")]
    Name(#[from] factorial_core::InvalidName),
    #[error("{0}")]
    Options(#[from] factorial_service::StoreOptionsError),
    #[error("{problems}\n  these agent files come from {origin}; name others with --agents DIR")]
    Agents { problems: String, origin: String },
    #[error("the simulated model cannot start: {0}")]
    Model(io::Error),
    #[error("{0}")]
    Telemetry(#[from] factorial_service::telemetry::TelemetryError),
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error("the {role} ended by itself: {reason}")]
    Ended { role: &'static str, reason: String },
    #[error("not ready within {seconds} s; still waiting for: {waiting}")]
    NotReady { seconds: u64, waiting: String },
    #[error("Redis ended by itself; its log is in {}", dir.display())]
    RedisEnded { dir: PathBuf },
    #[error("the private Redis did not stop cleanly: {0}")]
    RedisStop(factorial_local_redis::ControlError),
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
}

impl DevError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Agents { .. } | Self::Access(_) | Self::Tls(_) => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
