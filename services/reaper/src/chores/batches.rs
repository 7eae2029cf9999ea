//! Seals batches that were not filled in time, goes on with cancellations whose caller died half-way, and removes batches
//! when the last of their members has expired.

use std::time::Duration;

use async_trait::async_trait;
use factorial_core::{Partition, Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Batches;

#[async_trait]
impl Chore for Batches {
    fn name(&self) -> &'static str {
        "batches"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            settle(store, partition, options, &mut round).await?;
            expire(store, partition, options, &mut round).await?;
            Ok(round)
        };
        Ok(everywhere(store, step).await)
    }
}

async fn settle(
    store: &Store,
    partition: Partition,
    options: &ReaperOptions,
    round: &mut Round,
) -> Result<(), StoreError> {
    let unsettled = store.unsettled_batches(partition, options.batch).await?;
    // More of them than one step handles are left to the next round, which is then due at once.
    let next = if unsettled.overdue.len() < options.batch {
        unsettled.next
    } else {
        Some(Duration::ZERO)
    };
    round.add(unsettled.overdue.len() as u64, next);
    for batch in &unsettled.overdue {
        store.seal_batch(batch, true).await?;
    }
    for batch in &unsettled.cancelling {
        loop {
            let step = store.cancel_members(batch, options.batch).await?;
            round.count += step.cancelled;
            if !step.more {
                break;
            }
        }
    }
    Ok(())
}

async fn expire(
    store: &Store,
    partition: Partition,
    options: &ReaperOptions,
    round: &mut Round,
) -> Result<(), StoreError> {
    // Members are kept from the end of their batch on, so all are gone after the longest of these.
    let longest = options.ttls().map(|(_, ttl)| ttl).into_iter().max();
    let ttl = longest.unwrap_or_default();
    loop {
        let step = store.expire_batches(partition, ttl, options.batch).await?;
        round.count += step.count;
        // Nobody waits for it: the next round at the interval is soon enough.
        if step.count < options.batch as u64 {
            return Ok(());
        }
    }
}
