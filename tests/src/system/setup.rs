//! What a test asks of a system.

use std::sync::Arc;

use factorial_sim::{Behaviour, SimConfig};
use serde_json::Value;

use crate::{redis::TestRedis, served::Served};

/// Requests that the simulated model remembers.
const HISTORY: usize = 100_000;

/// How a [`super::System`] is set up.
pub struct Setup {
    pub(super) redis: Option<Arc<TestRedis>>,
    pub(super) served: Option<Arc<dyn Served>>,
    pub(super) partitions: Option<u16>,
    pub(super) agents: Vec<Value>,
    pub(super) every: Vec<String>,
    pub(super) common: Vec<String>,
    pub(super) worker: Vec<String>,
    pub(super) reaper: Vec<String>,
    pub(super) gateway: Vec<String>,
    pub(super) reapers: usize,
    pub(super) behaviour: Behaviour,
}

impl Setup {
    /// The services' own defaults, one reaper, no worker yet.
    #[must_use]
    pub fn defaults() -> Self {
        Self {
            redis: None,
            served: None,
            partitions: Some(1),
            agents: Vec::new(),
            every: Vec::new(),
            common: Vec::new(),
            worker: Vec::new(),
            reaper: Vec::new(),
            gateway: vec!["--auth-enabled=false".to_owned()],
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
            served: Some(Arc::clone(&redis) as Arc<dyn Served>),
            redis: Some(redis),
            ..self
        }
    }

    /// Something else than one server, with as many partitions as it has by itself.
    #[must_use]
    pub fn on(self, served: Arc<dyn Served>) -> Self {
        Self {
            served: Some(served),
            partitions: None,
            ..self
        }
    }

    /// A flag of all services.
    #[must_use]
    pub fn every(mut self, flag: &str, value: &str) -> Self {
        self.every.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Number of partitions; 1 if not said.
    #[must_use]
    pub fn partitions(self, partitions: u16) -> Self {
        Self {
            partitions: Some(partitions),
            ..self
        }
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

    /// A flag of gateways.
    #[must_use]
    pub fn gateway(mut self, flag: &str, value: &str) -> Self {
        self.gateway.extend([flag.to_owned(), value.to_owned()]);
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
