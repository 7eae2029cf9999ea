//! Child tasks, as a run asks for them.

use std::time::Duration;

use serde_json::Value;

use crate::Limits;

/// A child task to be made. The same task, call and index always mean the same child.
#[derive(Debug, Clone, PartialEq)]
pub struct NewChild {
    /// The call that asks for it: 1 to 64 of letters, digits, `_` and `-`, also where there is no call of a model.
    pub call_id: String,
    /// Its place among the children of this call, counted from 0.
    pub index: u32,
    /// Children of this call, itself included.
    pub siblings: u32,
    /// The agent that runs it.
    pub agent: String,
    /// What it is asked.
    pub query: String,
    /// The free context of its parent.
    pub context: Value,
    /// Whether its parent waits for it.
    pub awaited: bool,
    /// How long its parent waits, from now; `None` for ever.
    pub timeout: Option<Duration>,
    /// How many tasks may be above it.
    pub max_depth: u32,
    /// Limits beside those of its agent: the tighter of the tool's and of what is left of the parent's.
    pub limits: Limits,
}

/// What became of a [`NewChild`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spawned {
    /// The child's task id, now or from an earlier try.
    Accepted(String),
    /// There is no child, and no wait.
    Refused(SpawnRefusal),
}

/// Why a child was not made. Displays as a sentence for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SpawnRefusal {
    /// No worker serves the agent.
    #[error("There is no agent of this name.")]
    UnknownAgent,
    /// The child would be deeper than `max_depth`.
    #[error("Tasks may not be nested this deep; do the work without another task.")]
    TooDeep,
    /// The task or its tree has as many children as it may have.
    #[error("The limit of child tasks is reached; do the work without another task.")]
    TooMany,
}

impl SpawnRefusal {
    /// The stable snake_case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAgent => "unknown_agent",
            Self::TooDeep => "too_deep",
            Self::TooMany => "too_many",
        }
    }
}
