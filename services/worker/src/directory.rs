//! The agents that are known: those that a child may be spawned for.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use factorial_core::{AgentName, Store, StoreError};
use tokio::time::Instant;

/// An unknown name makes us look again, but not more often than this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What was announced, as of the last look.
#[derive(Clone, Default)]
pub(crate) struct Directory(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    names: HashSet<AgentName>,
    looked: Option<Instant>,
}

impl Directory {
    /// Whether some worker has announced the agent.
    pub(crate) async fn knows(&self, store: &Store, agent: &AgentName) -> Result<bool, StoreError> {
        {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = known.looked.is_some_and(|at| at.elapsed() < LOOK_AGAIN);
            if known.names.contains(agent) || fresh {
                return Ok(known.names.contains(agent));
            }
        }
        let announced = store.agents().await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.names = announced.into_iter().map(|a| a.name).collect();
        known.looked = Some(Instant::now());
        Ok(known.names.contains(agent))
    }
}
