//! Takes tasks from workers whose leases have expired.

use std::time::Duration;

use async_trait::async_trait;
use factorial_core::{Partition, RecoverPolicy, Store, StoreError};
use futures::future::join_all;
use metrics::counter;
use tokio::time::Instant;

use crate::{
    chore::{Chore, Round},
    metrics as names,
    options::ReaperOptions,
};

/// See the module.
#[derive(Default)]
pub(crate) struct Recover {
    /// By partition.
    outages: Vec<Outage>,
}

/// Leases that expired while Redis was away say nothing of their workers, who could not renew them. After an outage that
/// was long enough for that, workers get the time of a lease before theirs are taken.
#[derive(Default)]
struct Outage {
    /// Since when the partition does not answer.
    away_since: Option<Instant>,
    /// Until then workers that live renew their leases after an outage.
    hold_until: Option<Instant>,
}

impl Outage {
    async fn round(
        &mut self,
        store: &Store,
        options: &ReaperOptions,
        partition: Partition,
    ) -> Result<Round, StoreError> {
        let result = match self.held(store, options, partition).await {
            Ok(Some(left)) => {
                return Ok(Round {
                    next: Some(left),
                    ..Round::default()
                });
            }
            Ok(None) => recover(store, options, partition).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.away_since.get_or_insert_with(Instant::now);
        }
        result
    }

    async fn held(
        &mut self,
        store: &Store,
        options: &ReaperOptions,
        partition: Partition,
    ) -> Result<Option<Duration>, StoreError> {
        if let Some(since) = self.away_since {
            // Takes nothing, and says whether one that does would run.
            store.recover(partition, policy(options, 0)).await?;
            self.away_since = None;
            if since.elapsed() >= options.lease / 2 {
                self.hold_until = Some(Instant::now() + options.lease);
            }
        }
        let left = self
            .hold_until
            .map(|until| until.saturating_duration_since(Instant::now()));
        Ok(left.filter(|left| !left.is_zero()))
    }
}

fn policy(options: &ReaperOptions, most: usize) -> RecoverPolicy {
    RecoverPolicy {
        max_recoveries: options.max_recoveries,
        most,
    }
}

async fn recover(
    store: &Store,
    options: &ReaperOptions,
    partition: Partition,
) -> Result<Round, StoreError> {
    // No lease that is given from now on expires sooner, so whatever the interval, none expires unnoticed.
    let mut round = Round {
        next: Some(options.lease),
        ..Round::default()
    };
    loop {
        let step = store
            .recover(partition, policy(options, options.batch))
            .await?;
        counter!(names::POISONED).increment(step.poisoned);
        let count = step.recovered + step.poisoned;
        if count > 0 {
            let (recovered, poisoned) = (step.recovered, step.poisoned);
            tracing::info!(
                partition = partition.0,
                recovered,
                poisoned,
                "leases expired"
            );
        }
        if count < options.batch as u64 {
            round.add(count, step.next);
            return Ok(round);
        }
        round.count += count;
    }
}

#[async_trait]
impl Chore for Recover {
    fn name(&self) -> &'static str {
        "recover"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let partitions = usize::from(store.partitions());
        self.outages.resize_with(partitions, Outage::default);
        let rounds = self.outages.iter_mut().zip(store.all_partitions());
        let rounds = rounds.map(|(outage, partition)| outage.round(store, options, partition));
        Ok(Round::of(join_all(rounds).await))
    }
}
