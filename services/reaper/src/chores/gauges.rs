//! Exports how many tasks are in which state, how long the oldest queued ones have waited, and how many workers there are.

use std::collections::BTreeSet;

use async_trait::async_trait;
use factorial_core::{AgentName, Counts, Store, StoreError, TaskState};
use metrics::gauge;

use crate::{
    chore::{Chore, Round},
    metrics as names,
    options::ReaperOptions,
};

/// See the module.
#[derive(Default)]
pub(crate) struct Gauges {
    /// What was exported before, so that a state that emptied goes to 0.
    seen: BTreeSet<(AgentName, TaskState)>,
}

/// Owners among whose tasks the oldest one of an agent is looked for; of more, those that are next in turn.
const MOST_OWNERS: usize = 1_000;

impl Gauges {
    /// How long the oldest queued task of each agent has waited.
    async fn ages(&self, store: &Store, counts: &Counts) -> Result<(), StoreError> {
        let now = store.now_ms().await?;
        for (agent, state) in &self.seen {
            if *state != TaskState::Queued {
                continue;
            }
            let queued = counts.get(&(agent.clone(), *state)).copied().unwrap_or(0);
            let ready = if queued > 0 {
                store.oldest_queued(agent, MOST_OWNERS).await?.ready_ms
            } else {
                None
            };
            let age = ready.map_or(0, |ready| now.saturating_sub(ready));
            gauge!(names::OLDEST_QUEUED, "agent" => agent.to_string()).set(age as f64 / 1e3);
        }
        Ok(())
    }
}

#[async_trait]
impl Chore for Gauges {
    fn name(&self) -> &'static str {
        "gauges"
    }

    async fn round(&mut self, store: &Store, _: &ReaperOptions) -> Result<Round, StoreError> {
        let counts = store.counts().await?;
        self.seen.extend(counts.keys().cloned());
        for key in &self.seen {
            let count = counts.get(key).copied().unwrap_or(0);
            gauge!(names::TASKS, "agent" => key.0.to_string(), "state" => key.1.as_str())
                .set(count as f64);
        }
        self.ages(store, &counts).await?;
        let mut pending = 0;
        for partition in store.all_partitions() {
            pending += store.pending_deliveries(partition).await?;
        }
        gauge!(names::WEBHOOKS_PENDING).set(pending as f64);
        gauge!(names::WORKERS).set(store.workers().await?.len() as f64);
        Ok(Round::default())
    }
}
