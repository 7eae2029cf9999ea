//! Queues scheduled tasks and those in backoff when they are due.

use async_trait::async_trait;
use factorial_core::{Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Promote;

#[async_trait]
impl Chore for Promote {
    fn name(&self) -> &'static str {
        "promote"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            loop {
                let step = store.promote(partition, options.batch).await?;
                if step.count < options.batch as u64 {
                    round.add(step.count, step.next);
                    break;
                }
                round.count += step.count;
            }
            Ok(round)
        };
        Ok(everywhere(store, step).await)
    }
}
