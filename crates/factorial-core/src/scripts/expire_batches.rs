//! `expire_batches.lua`: removes batches that ended longer ago than their TTL.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::Partition,
    script::{Script, script},
    scripts::promote::Promoted,
    store::Store,
};

static EXPIRE_BATCHES: Script = script!("expire_batches");

impl Store {
    /// Removes up to `most` batches of a partition that ended longer ago than `ttl`; their members expire by their own TTL,
    /// counted from the end of the batch.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn expire_batches(
        &self,
        partition: Partition,
        ttl: Duration,
        most: usize,
    ) -> Result<Promoted, StoreError> {
        let call = EXPIRE_BATCHES
            .on(&self.base(partition))
            .arg(most)
            .arg(ttl.as_millis().to_string());
        Promoted::parse(call.run(&self.0.link).await?)
    }
}
