//! How many tasks a worker runs, and how its death is noticed.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::config::group::config_group;

config_group! {
    /// A worker process. It has `workers × batch_size` tasks in flight.
    pub struct WorkerConfig, "Worker", in "worker" {
        /// Runners in this process.
        workers: u32 = "1", range 1.0 to 1024.0;
        /// Tasks in flight for each runner.
        batch_size: u32 = "25", range 1.0 to 10000.0;
        /// How often a failed attempt is retried before the task fails.
        max_retries: u32 = "5", range 0.0 to 1000.0;
        /// Seconds that one turn may take.
        turn_timeout: Duration = "120", range 0.1 to 86400.0;
        /// Seconds that open turns may go on after a termination signal, before their tasks are handed back.
        grace_period_seconds: Duration = "30", range 0.0 to 3600.0;
        /// Descendants that a root task may have over its life.
        max_descendants: u64 = "10000", range 1.0 to 10000000.0;
        /// Base URL under which deferred HTTP tools reach the gateway when they answer.
        public_url: Option<Url>;
        /// Agent files, or directories of them, relative to the working directory.
        agents: Vec<PathBuf>;
    }
    maps {
        /// Settings of single agents, by the agent's name.
        runners: RunnerConfig;
    }
}

config_group! {
    /// Worker settings of one agent, in place of the common ones. They can be set in the file only.
    pub struct RunnerConfig, "Runner of one agent", in "worker.runners.*" {
        /// `worker.workers` for this agent.
        workers: Option<u32>, name "runner_workers", range 1.0 to 1024.0;
        /// `worker.batch_size` for this agent.
        batch_size: Option<u32>, name "runner_batch_size", range 1.0 to 10000.0;
        /// `worker.max_retries` for this agent.
        max_retries: Option<u32>, name "runner_max_retries", range 0.0 to 1000.0;
        /// `worker.turn_timeout` for this agent.
        turn_timeout: Option<Duration>, name "runner_turn_timeout", range 0.1 to 86400.0;
    }
}

config_group! {
    /// How the death of a worker is noticed, and how often a task survives it. Workers and reapers must agree.
    pub struct RecoveryConfig, "Recovery", in "worker" {
        /// Seconds between two heartbeats, each of which renews all leases of the process.
        heartbeat_interval: Duration = "5", range 0.1 to 300.0;
        /// Heartbeats that may be missed before a lease expires.
        missed_heartbeats_threshold: u32 = "2", range 1.0 to 100.0;
        /// How often a task may lose its worker before it is stopped as `poison`.
        max_recoveries: u32 = "5", range 0.0 to 1000.0;
    }
}

impl RecoveryConfig {
    /// How long a lease lasts without a heartbeat.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.heartbeat_interval
            .saturating_mul(self.missed_heartbeats_threshold)
    }
}
