//! What a test asks of a system.

use std::sync::Arc;

use factorial_sim::{Behaviour, SimConfig};
use serde_json::Value;

use crate::redis::TestRedis;

/// Requests that the simulated model remembers.
const HISTORY: usize = 100_000;

/// How a [`super::System`] is set up.
pub struct Setup {
    pub(super) redis: Option<Arc<TestRedis>>,
    pub(super) partitions: u16,
    pub(super) agents: Vec<Value>,
    pub(super) common: Vec<String>,
    pub(super) worker: Vec<String>,
    pub(super) reaper: Vec<String>,
    pub(super) reapers: usize,
    pub(super) behaviour: Behaviour,
}

impl Setup {
    /// The services' own defaults, one reaper, no worker yet.
    #[must_use]
    pub fn defaults() -> Self {
        Self {
            redis: None,
            partitions: 1,
            agents: Vec::new(),
            common: Vec::new(),
            worker: Vec::new(),
            reaper: Vec::new(),
            reapers: 1,
            behaviour: Behaviour::default(),
        }
    }

    /// A lease of 2 s, renewed every half second.
    #[must_use]
    pub fn fast() -> Self {
        Self::defaults()
            .all("--heartbeat-interval", "0.5")
            .all("--missed-heartbeats-threshold", "4")
    }

    /// A server of the test's own, to be stopped and restarted.
    #[must_use]
    pub fn redis(self, redis: Arc<TestRedis>) -> Self {
        Self {
            redis: Some(redis),
            ..self
        }
    }

    /// Number of partitions; 1 if not said.
    #[must_use]
    pub fn partitions(self, partitions: u16) -> Self {
        Self { partitions, ..self }
    }

    /// One more agent that all workers serve.
    #[must_use]
    pub fn agent(mut self, agent: Value) -> Self {
        self.agents.push(agent);
        self
    }

    /// A flag of workers and reapers.
    #[must_use]
    pub fn all(mut self, flag: &str, value: &str) -> Self {
        self.common.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// A flag of workers.
    #[must_use]
    pub fn worker(mut self, flag: &str, value: &str) -> Self {
        self.worker.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// A flag of reapers.
    #[must_use]
    pub fn reaper(mut self, flag: &str, value: &str) -> Self {
        self.reaper.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// How many reapers start with the system; 1 if not said.
    #[must_use]
    pub fn reapers(self, reapers: usize) -> Self {
        Self { reapers, ..self }
    }

    /// What the model does when nothing else is asked of it.
    #[must_use]
    pub fn model(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    pub(super) fn sim(&self) -> SimConfig {
        SimConfig {
            behaviour: self.behaviour.clone(),
            history: HISTORY,
            ..SimConfig::default()
        }
    }
}
