//! Delivers what is in the outbox, and tells partitions of webhooks that changed.

use std::time::Duration;

use async_trait::async_trait;
use factorial_core::{Partition, Store, StoreError};
use tokio::time::Instant;

use crate::{
    chore::{Chore, Round},
    options::ReaperOptions,
    webhooks::{Courier, LEASE},
};

/// Deliveries that one step hands out, at most.
const STEP: usize = 64;
/// Between two looks for changes that somebody has not told all partitions.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// See the module.
pub(crate) struct Webhooks {
    courier: Courier,
    looked: Option<Instant>,
    /// Partition that is first next time, so that none is always last when there is little room.
    first: usize,
}

impl Webhooks {
    pub(crate) fn new(courier: Courier) -> Self {
        Self {
            courier,
            looked: None,
            first: 0,
        }
    }

    /// Goes on with what a gateway has begun. One that is at it just now does the same.
    async fn spread(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        for owner in store.owners_with_changed_webhooks().await? {
            store.spread_webhooks(&owner).await?;
        }
        self.looked = Some(Instant::now());
        Ok(())
    }
}

#[async_trait]
impl Chore for Webhooks {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    async fn round(&mut self, store: &Store, _: &ReaperOptions) -> Result<Round, StoreError> {
        let mut round = Round {
            failed: self.spread(store).await.err(),
            ..Round::default()
        };
        let mut partitions: Vec<Partition> = store.all_partitions().collect();
        let first = self.first % partitions.len().max(1);
        partitions.rotate_left(first);
        self.first = first + 1;
        for partition in partitions {
            // One that is away keeps no others waiting.
            if let Err(error) = self.deliver(store, partition, &mut round).await {
                round.failed = Some(error);
            }
        }
        Ok(round)
    }
}

impl Webhooks {
    async fn deliver(
        &self,
        store: &Store,
        partition: Partition,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        loop {
            let most = self.courier.room().min(STEP);
            if most == 0 {
                // Whoever makes room calls.
                return Ok(());
            }
            let step = store.due_deliveries(partition, most, LEASE).await?;
            let count = step.due.len();
            let deferred = self.courier.take(partition, step.due).await?;
            round.add(0, deferred);
            if count < most {
                round.add(count as u64, step.next);
                return Ok(());
            }
            round.count += count as u64;
        }
    }
}
