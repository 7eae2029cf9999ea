//! Why there is no figure. Each text says what to change.

use std::io;

/// Why a run ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The private server did not start.
    #[error("{0}")]
    Start(#[from] factorial_local_redis::StartError),
    /// The Redis cannot be used.
    #[error("{0}")]
    Connect(#[from] factorial_core::ConnectError),
    /// A call of the store failed in the middle of a run.
    #[error("Redis failed during the run: {0}")]
    Store(#[from] factorial_core::StoreError),
    /// The Redis that was named does not answer.
    #[error("cannot use this Redis: {0}")]
    Unreachable(deadpool_redis::redis::RedisError),
    /// A command beside the store failed.
    #[error("Redis failed during the run: {0}")]
    Redis(#[from] deadpool_redis::redis::RedisError),
    /// The server says nothing about itself that could be read.
    #[error("INFO of Redis has no {0}: this server cannot be measured")]
    Info(&'static str),
    /// A made-up name was refused.
    #[error("{0}")]
    Name(#[from] factorial_core::InvalidName),
    /// A process of ours did not start.
    #[error("cannot start the {role} ({program}): {source}")]
    Spawn {
        /// Which role.
        role: &'static str,
        /// What was run.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A process of ours was not ready in time, or ended.
    #[error("the {role} {problem}; the end of its log:\n{log}")]
    Role {
        /// Which role.
        role: &'static str,
        /// What it did not do.
        problem: String,
        /// Its last lines.
        log: String,
    },
    /// The simulated model did not start.
    #[error("the simulated model cannot start: {0}")]
    Model(io::Error),
    /// The simulated model did not answer.
    #[error("the simulated model does not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// The gateway refused, or did not answer.
    #[error("the gateway refused a call, or did not answer it: {0}")]
    Client(#[from] factorial_client::ClientError),
    /// The deployment that was named cannot be used.
    #[error("cannot measure the deployment at {url}: {source}")]
    Deployment {
        /// Base URL of its gateway.
        url: String,
        /// What it said.
        source: factorial_client::ClientError,
    },
    /// The store refused a task.
    #[error("a task was not accepted: {0}")]
    Refused(String),
    /// Nothing ended for a while.
    #[error("nothing ended for {seconds} s: {done} of {tasks} tasks have\n{log}")]
    Stalled {
        /// How long nothing happened.
        seconds: u64,
        /// Tasks that have ended.
        done: u64,
        /// Tasks in all.
        tasks: u64,
        /// The end of the worker's log.
        log: String,
    },
    /// A task was lost, repeated, or did not end as it should.
    #[error("delivery is not exact, so there is no figure: {0}")]
    Delivery(String),
    /// A file or directory could not be used.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A task of the runtime ended by a panic.
    #[error("a part of the load generator failed: {0}")]
    Join(#[from] tokio::task::JoinError),
    /// Somebody asked it to stop.
    #[error(
        "interrupted; what had been started is ended, and what had been written removed or cancelled"
    )]
    Interrupted,
    /// The options make no sense together.
    #[error("{0}")]
    Options(String),
}

/// Why a role did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The parent said something else than this version understands.
    #[error("the role is not described by what was given: {0}")]
    Spec(#[from] serde_json::Error),
    /// Defaults of the configuration.
    #[error("{0}")]
    Config(#[from] factorial_service::config::ConfigErrors),
    /// Log and metrics.
    #[error("{0}")]
    Telemetry(#[from] factorial_service::telemetry::TelemetryError),
    /// The agents of the load generator.
    #[error("{0}")]
    Setup(#[from] factorial_worker::SetupError),
    /// The worker.
    #[error("{0}")]
    Worker(#[from] factorial_worker::WorkerError),
    /// The reaper.
    #[error("{0}")]
    Reaper(#[from] factorial_reaper::SenderError),
    /// The Redis cannot be used.
    #[error("{0}")]
    Connect(#[from] factorial_core::ConnectError),
    /// A port or a stream.
    #[error("{0}")]
    Io(#[from] io::Error),
}
