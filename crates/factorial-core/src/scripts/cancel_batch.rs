//! `cancel_batch.lua`: cancels a batch; its members follow by `cancel_members.lua`.

use crate::{
    batch::BatchState,
    error::StoreError,
    ids::BatchId,
    script::{Script, script},
    scripts::cancel::STEP,
    store::Store,
};

static CANCEL_BATCH: Script = script!("cancel_batch");

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelBatchOutcome {
    /// Cancelled, members and their descendants included.
    Cancelled,
    /// It had ended before, in this state.
    Finished(BatchState),
    /// There is no such batch.
    NotFound,
}

impl Store {
    /// Cancels a batch and all that belongs to it, in bounded steps.
    ///
    /// # Errors
    /// When Redis does not answer. A cancellation that stops half-way is finished by the reaper.
    pub async fn cancel_batch(
        &self,
        batch: &BatchId,
        reason: Option<&str>,
    ) -> Result<CancelBatchOutcome, StoreError> {
        let mut reply = CANCEL_BATCH
            .on(&self.base(batch.partition()))
            .arg(batch.as_str())
            .arg(reason.unwrap_or_default())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "cancelling" => {
                while self.cancel_members(batch, STEP).await?.more {}
                while self.cascade(batch.partition(), STEP).await?.more {}
                Ok(CancelBatchOutcome::Cancelled)
            }
            "finished" => Ok(CancelBatchOutcome::Finished(reply.text()?.parse()?)),
            "gone" => Ok(CancelBatchOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
