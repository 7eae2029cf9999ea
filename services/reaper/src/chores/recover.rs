//! Takes tasks from workers whose leases have expired.

use async_trait::async_trait;
use factorial_core::{RecoverPolicy, Store, StoreError};
use metrics::counter;

use crate::{
    chore::{Chore, Round},
    metrics as names,
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Recover;

#[async_trait]
impl Chore for Recover {
    fn name(&self) -> &'static str {
        "recover"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let policy = RecoverPolicy { max_recoveries: options.max_recoveries, most: options.batch };
        // No lease that is given from now on expires sooner, so whatever the interval, none expires unnoticed.
        let mut round = Round { count: 0, next: Some(options.lease) };
        for partition in store.all_partitions() {
            loop {
                let step = store.recover(partition, policy).await?;
                counter!(names::POISONED).increment(step.poisoned);
                let count = step.recovered + step.poisoned;
                if count > 0 {
                    tracing::info!(partition = partition.0, recovered = step.recovered, poisoned = step.poisoned, "leases expired");
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
