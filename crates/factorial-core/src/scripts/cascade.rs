//! `cascade.lua`: cancels descendants of cancelled tasks, step by step.

use serde_json::json;

use crate::{
    error::StoreError,
    ids::Partition,
    metrics,
    script::{Script, script},
    store::Store,
};

static CASCADE: Script = script!("cascade");

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Tasks that it cancelled.
    pub cancelled: u64,
    /// There are more.
    pub more: bool,
}

impl Store {
    /// Cancels up to `most` descendants of cancelled tasks of a partition.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn cascade(&self, partition: Partition, most: usize) -> Result<Cascade, StoreError> {
        let mut reply = CASCADE
            .on(&self.base(partition))
            .arg(most)
            .arg(json!({ "reason": "parent cancelled" }).to_string())
            .arg(&self.0.timeline_arg)
            .run(&self.0.link)
            .await?;
        let more = match reply.text()?.as_str() {
            "done" => false,
            "more" => true,
            other => return Err(reply.corrupt(other)),
        };
        let cancelled = reply.count()?;
        metrics::cancelled(cancelled);
        Ok(Cascade { cancelled, more })
    }
}
