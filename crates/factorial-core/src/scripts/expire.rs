//! `expire.lua`: removes tasks that ended longer ago than their TTL.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::Partition,
    script::{Script, script},
    scripts::promote::Promoted,
    store::Store,
    task::TaskState,
};

static EXPIRE: Script = script!("expire");

/// One step.
pub type Expired = Promoted;

impl Store {
    /// Removes up to `most` tasks of a partition that ended in `state` longer ago than `ttl`.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn expire(
        &self,
        partition: Partition,
        state: TaskState,
        ttl: Duration,
        most: usize,
    ) -> Result<Expired, StoreError> {
        let call = EXPIRE
            .on(&self.base(partition))
            .arg(most)
            .arg(state.as_str())
            .arg(ttl.as_millis().to_string());
        Promoted::parse(call.run(&self.0.link).await?)
    }
}
