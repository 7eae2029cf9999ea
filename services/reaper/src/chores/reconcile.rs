//! Compares places with states, a slice at a time, and repairs what does not fit. In a healthy system it repairs nothing.

use async_trait::async_trait;
use factorial_core::{Partition, Store, StoreError, TaskState, Walk};

use crate::{
    chore::{Chore, Round},
    options::ReaperOptions,
};

/// Slices of one round: bounds its cost whatever there is to walk.
const SLICES: usize = 20;

/// See the module.
#[derive(Default)]
pub(crate) struct Reconcile {
    /// What is still to be walked in this pass, the current one last.
    left: Vec<(Partition, Walk)>,
    cursor: Option<String>,
}

impl Reconcile {
    /// Everything there is to walk.
    async fn pass(store: &Store) -> Result<Vec<(Partition, Walk)>, StoreError> {
        let agents = store.agents().await?;
        let mut left = Vec::new();
        for partition in store.all_partitions() {
            let places = [
                Walk::Leases,
                Walk::Delays,
                Walk::Pending,
                Walk::Awaits,
                Walk::Asked,
            ];
            left.extend(places.map(|walk| (partition, walk)));
            let done = [
                TaskState::Completed,
                TaskState::Failed,
                TaskState::Cancelled,
            ]
            .map(Walk::Done);
            left.extend(done.map(|walk| (partition, walk)));
            left.extend(
                agents
                    .iter()
                    .map(|a| (partition, Walk::Agent(a.name.clone()))),
            );
        }
        Ok(left)
    }
}

#[async_trait]
impl Chore for Reconcile {
    fn name(&self) -> &'static str {
        "reconcile"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let mut round = Round::default();
        if self.left.is_empty() {
            self.left = Self::pass(store).await?;
        }
        for _ in 0..SLICES {
            let Some((partition, walk)) = self.left.last() else {
                break;
            };
            let page = store
                .reconcile(*partition, walk, self.cursor.as_deref(), options.batch)
                .await?;
            if page.repaired > 0 {
                tracing::error!(
                    partition = partition.0,
                    ?walk,
                    repaired = page.repaired,
                    "tasks were not where their state says"
                );
            }
            round.count += page.repaired;
            self.cursor = page.next;
            if self.cursor.is_none() {
                self.left.pop();
            }
        }
        Ok(round)
    }
}
