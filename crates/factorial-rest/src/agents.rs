//! The agents that workers have announced, kept here so that a submission costs one round trip.
//!
//! An agent stays known while its workers are away, so a name that is found here is right; one that is not is looked
//! up again before it is refused. Refreshed by `refresh` every few seconds too: for a namespace that was wiped, and for
//! agents that were announced anew.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use factorial_core::{AgentAnnouncement, AgentName, Store, StoreError};
use tokio::sync::Mutex;

use crate::submission::ContextSchema;

/// All announced agents, as of the last look.
#[derive(Default)]
pub(crate) struct AgentDirectory {
    agents: ArcSwap<KnownAgents>,
    /// When the last look that succeeded was begun. Held while somebody looks.
    looked: Mutex<Option<Instant>>,
}

/// Agents by name.
pub(crate) type KnownAgents = BTreeMap<AgentName, KnownAgent>;

/// What submissions are judged by.
#[derive(Clone, Debug)]
pub(crate) struct KnownAgent {
    /// Names of its tools.
    pub(crate) tools: Arc<[String]>,
    /// Of the context, if it has one.
    pub(crate) context: Option<Arc<ContextSchema>>,
}

impl KnownAgent {
    /// The agent as announced now; the schema is compiled only when it is not that of `before`.
    fn of(announced: AgentAnnouncement, before: Option<&Self>) -> Self {
        let kept = before.and_then(|before| before.context.clone());
        let context = announced.context_schema.map(|schema| match kept {
            Some(kept) if kept.is(&schema) => kept,
            _ => Arc::new(ContextSchema::compile(&announced.name, schema)),
        });
        Self {
            tools: announced.tools.into(),
            context,
        }
    }
}

impl AgentDirectory {
    /// The agent, if it was announced before this call.
    ///
    /// # Errors
    /// When Redis has to be asked and does not answer.
    pub(crate) async fn find(
        &self,
        store: &Store,
        name: &AgentName,
    ) -> Result<Option<KnownAgent>, StoreError> {
        if let Some(known) = self.agents.load().get(name) {
            return Ok(Some(known.clone()));
        }
        Ok(self.all(store).await?.get(name).cloned())
    }

    /// All agents, not older than this call.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn all(&self, store: &Store) -> Result<Arc<KnownAgents>, StoreError> {
        self.look(store).await?;
        Ok(self.agents.load_full())
    }

    /// One look serves all who asked before it was begun, so a flood of unknown names is no flood of calls.
    async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|begun| begun >= asked) {
            return Ok(());
        }
        let begun = Instant::now();
        let announced = store.agents().await?;
        let before = self.agents.load();
        let agents = announced.into_iter().map(|agent| {
            let known = KnownAgent::of(agent.clone(), before.get(&agent.name));
            (agent.name, known)
        });
        self.agents.store(Arc::new(agents.collect()));
        *looked = Some(begun);
        Ok(())
    }
}
