//! What a worker is told at its start.

use std::time::Duration;

use factorial_agent::RetryPolicy;

/// Settings of one agent in this worker.
#[derive(Clone, Debug)]
pub struct RunnerOptions {
    /// Tasks in flight.
    pub slots: u32,
    /// Bound of one turn.
    pub turn_timeout: Duration,
    /// How failures are retried.
    pub retry: RetryPolicy,
}

/// Settings of the process.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// Name of the host, for people.
    pub host: String,
    /// Process id, for people.
    pub pid: u32,
    /// Between two heartbeats.
    pub heartbeat_interval: Duration,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How long open turns may go on after a termination signal.
    pub grace: Duration,
    /// Descendants that a root task may have.
    pub max_descendants: u64,
    /// Base URL under which deferred HTTP tools answer.
    pub public_url: Option<url::Url>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            pid: std::process::id(),
            heartbeat_interval: Duration::from_secs(5),
            lease: Duration::from_secs(10),
            grace: Duration::from_secs(30),
            max_descendants: 10_000,
            public_url: None,
        }
    }
}
