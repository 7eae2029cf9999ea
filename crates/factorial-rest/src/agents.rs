//! The agents that workers have announced, with their tools, kept here so that a submission costs one round trip.
//!
//! An agent stays known while its workers are away, so a name that is found here is right; one that is not is looked
//! up again before it is refused. Refreshed by `refresh` every few seconds too, for a namespace that was wiped.

use std::{collections::BTreeMap, time::Instant};

use arc_swap::ArcSwap;
use factorial_core::{AgentName, Store, StoreError};
use tokio::sync::Mutex;

/// All announced agents and the names of their tools, as of the last look.
#[derive(Default)]
pub(crate) struct AgentDirectory {
    agents: ArcSwap<BTreeMap<AgentName, Vec<String>>>,
    /// When the last look that succeeded was begun. Held while somebody looks.
    looked: Mutex<Option<Instant>>,
}

impl AgentDirectory {
    /// Whether the agent was announced before this call.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn knows(&self, store: &Store, name: &AgentName) -> Result<bool, StoreError> {
        if self.agents.load().contains_key(name) {
            return Ok(true);
        }
        self.look(store).await?;
        Ok(self.agents.load().contains_key(name))
    }

    /// Names of the tools of an agent, as far as it is known.
    pub(crate) fn tools(&self, name: &AgentName) -> Vec<String> {
        self.agents.load().get(name).cloned().unwrap_or_default()
    }

    /// All names, not older than this call.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn all(&self, store: &Store) -> Result<Vec<AgentName>, StoreError> {
        self.look(store).await?;
        Ok(self.agents.load().keys().cloned().collect())
    }

    /// One look serves all who asked before it was begun, so a flood of unknown names is no flood of calls.
    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|begun| begun >= asked) {
            return Ok(());
        }
        let begun = Instant::now();
        let agents = store.agents().await?;
        self.agents.store(
            agents
                .into_iter()
                .map(|agent| (agent.name, agent.tools))
                .collect::<BTreeMap<_, _>>()
                .into(),
        );
        *looked = Some(begun);
        Ok(())
    }
}
