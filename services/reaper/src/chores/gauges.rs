//! Exports how many tasks are in which state, and how many workers there are.

use std::collections::BTreeSet;

use async_trait::async_trait;
use factorial_core::{AgentName, Store, StoreError, TaskState};
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
        let mut pending = 0;
        for partition in store.all_partitions() {
            pending += store.pending_deliveries(partition).await?;
        }
        gauge!(names::WEBHOOKS_PENDING).set(pending as f64);
        gauge!(names::WORKERS).set(store.workers().await?.len() as f64);
        Ok(Round::default())
    }
}
