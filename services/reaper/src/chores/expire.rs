//! Removes ended tasks when their TTL has passed.

use async_trait::async_trait;
use factorial_core::{Store, StoreError};

use crate::{
    chore::{Chore, Round, everywhere},
    options::ReaperOptions,
};

/// See the module.
pub(crate) struct Expire;

#[async_trait]
impl Chore for Expire {
    fn name(&self) -> &'static str {
        "expire"
    }

    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError> {
        let step = async |partition| {
            let mut round = Round::default();
            for (state, ttl) in options.ttls() {
                loop {
                    let step = store.expire(partition, state, ttl, options.batch).await?;
                    round.count += step.count;
                    // Nobody waits for it: the next round at the interval is soon enough.
                    if step.count < options.batch as u64 {
                        break;
                    }
                }
            }
            Ok(round)
        };
        Ok(everywhere(store, step).await)
    }
}
