//! Finishes cancellations of descendants whose caller died half-way.

use async_trait::async_trait;
use factorial_core::{Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Cascade;

#[async_trait]
impl Chore for Cascade {
    fn name(&self) -> &'static str {
        "cascade"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            loop {
                let step = store.cascade(partition, options.batch).await?;
                round.count += step.cancelled;
                if !step.more {
                    break;
                }
            }
            Ok(round)
        };
        Ok(everywhere(store, step).await)
    }
}
