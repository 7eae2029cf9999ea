//! `follow_owner.lua`: keeps the feed of an owner going.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::{OwnerId, Partition},
    script::{Script, script},
    store::Store,
};

static FOLLOW_OWNER: Script = script!("follow_owner");

impl Store {
    /// Keeps the feed of an owner in a partition going for `lasts`; says the number of its last entry. Whoever follows the
    /// feed calls this again in time; until `lasts` after the last call, and for as many entries as are kept, it can be
    /// resumed.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn follow_owner(
        &self,
        partition: Partition,
        owner: &OwnerId,
        lasts: Duration,
    ) -> Result<u64, StoreError> {
        let mut reply = FOLLOW_OWNER
            .on(&self.base(partition))
            .arg(owner.as_str())
            .arg(lasts.as_millis().to_string())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" => reply.count(),
            other => Err(reply.corrupt(other)),
        }
    }
}
