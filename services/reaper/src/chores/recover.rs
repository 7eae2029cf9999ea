//! Takes tasks from workers whose leases have expired.

use std::time::Duration;

use async_trait::async_trait;
use factorial_core::{RecoverPolicy, Store, StoreError};
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
    /// Since when Redis does not answer.
    away_since: Option<Instant>,
    /// Until then workers that live renew their leases after an outage.
    hold_until: Option<Instant>,
}

impl Recover {
    /// Leases that expired while Redis was away say nothing of their workers, who could not renew them. After an
    /// outage that was long enough for that, workers get the time of a lease before theirs are taken.
    async fn held(
        &mut self,
        store: &Store,
        lease: Duration,
    ) -> Result<Option<Duration>, StoreError> {
        if let Some(since) = self.away_since {
            store.ping().await?;
            self.away_since = None;
            if since.elapsed() >= lease / 2 {
                self.hold_until = Some(Instant::now() + lease);
            }
        }
        let left = self
            .hold_until
            .map(|until| until.saturating_duration_since(Instant::now()));
        Ok(left.filter(|left| !left.is_zero()))
    }

    async fn recover(store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let policy = RecoverPolicy {
            max_recoveries: options.max_recoveries,
            most: options.batch,
        };
        // No lease that is given from now on expires sooner, so whatever the interval, none expires unnoticed.
        let mut round = Round {
            count: 0,
            next: Some(options.lease),
        };
        for partition in store.all_partitions() {
            loop {
                let step = store.recover(partition, policy).await?;
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
                    break;
                }
                round.count += count;
            }
        }
        Ok(round)
    }
}

#[async_trait]
impl Chore for Recover {
    fn name(&self) -> &'static str {
        "recover"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let result = match self.held(store, options.lease).await {
            Ok(Some(left)) => {
                return Ok(Round {
                    count: 0,
                    next: Some(left),
                });
            }
            Ok(None) => Self::recover(store, options).await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.away_since.get_or_insert_with(Instant::now);
        }
        result
    }
}
