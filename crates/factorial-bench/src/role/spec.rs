//! What a process is told, and what it says when it is ready: one line of JSON each.

use factorial_core::Namespace;
use serde::{Deserialize, Serialize};

/// What to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(crate) enum Spec {
    /// A worker with the agents of the load generator.
    Worker {
        redis_url: String,
        namespace: Namespace,
        /// Tasks in flight, of each agent.
        slots: u32,
        /// Base URL of the model; without one there is no agent with a model.
        model_url: Option<String>,
        /// Serves, of those with a model, only the one whose calls are answered from outside.
        #[serde(default)]
        deferring: bool,
    },
    /// A gateway on a free port.
    Gateway {
        redis_url: String,
        namespace: Namespace,
    },
    /// A reaper.
    Reaper {
        redis_url: String,
        namespace: Namespace,
        /// How long ended tasks stay, s; as usual when absent.
        ended_ttl: Option<u64>,
    },
}

impl Spec {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Worker { .. } => "worker",
            Self::Gateway { .. } => "gateway",
            Self::Reaper { .. } => "reaper",
        }
    }
}

/// Said once, on standard output, when it works.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Where a gateway listens.
    pub(crate) url: Option<String>,
}
