//! Answers waits whose deadline has passed, and cancels the children among them.

use async_trait::async_trait;
use factorial_core::{Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Waits;

#[async_trait]
impl Chore for Waits {
    fn name(&self) -> &'static str {
        "waits"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            let mut expired = 0;
            loop {
                let step = store.expire_waits(partition, options.batch).await?;
                expired += step.count;
                if step.count < options.batch as u64 {
                    round.add(expired, step.next);
                    break;
                }
            }
            if expired > 0 {
                while store.cascade(partition, options.batch).await?.more {}
            }
            Ok(round)
        };
        Ok(everywhere(store, step).await)
    }
}
