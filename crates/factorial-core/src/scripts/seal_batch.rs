//! `seal_batch.lua`: a batch takes no more members.

use crate::{
    batch::BatchState,
    error::StoreError,
    ids::BatchId,
    script::{Script, script},
    store::Store,
};

static SEAL_BATCH: Script = script!("seal_batch");

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedBatch {
    /// It is in this state, with so many members.
    Sealed(BatchState, u64),
    /// It may still be filled.
    NotDue,
    /// There is no such batch.
    NotFound,
}

impl Store {
    /// Seals a batch: it ends when its members have ended. `overdue`: only if its time to fill is over.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn seal_batch(
        &self,
        batch: &BatchId,
        overdue: bool,
    ) -> Result<SealedBatch, StoreError> {
        let mut reply = SEAL_BATCH
            .on(&self.base(batch.partition()))
            .arg(batch.as_str())
            .arg(if overdue { "1" } else { "" })
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" => Ok(SealedBatch::Sealed(reply.text()?.parse()?, reply.count()?)),
            "not_due" => Ok(SealedBatch::NotDue),
            "gone" => Ok(SealedBatch::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
