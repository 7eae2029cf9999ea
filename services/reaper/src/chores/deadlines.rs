//! Ends tasks whose wall-clock limit has passed.

use async_trait::async_trait;
use factorial_core::{Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Deadlines;

#[async_trait]
impl Chore for Deadlines {
    fn name(&self) -> &'static str {
        "deadlines"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            loop {
                let step = store.enforce_deadlines(partition, options.batch).await?;
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
