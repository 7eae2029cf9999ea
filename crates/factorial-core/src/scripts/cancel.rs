//! `cancel.lua`: cancels a task.

use serde_json::json;

use crate::{
    error::StoreError,
    ids::TaskId,
    metrics,
    script::{Script, script},
    store::Store,
    task::TaskState,
};

static CANCEL: Script = script!("cancel");

/// Descendants cancelled by one script call.
pub(crate) const STEP: usize = 500;

/// What became of a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled, descendants included.
    Cancelled,
    /// It had ended before, in this state.
    Finished(TaskState),
    /// There is no such task.
    NotFound,
}

impl Store {
    /// Cancels a task and all its descendants.
    ///
    /// # Errors
    /// When Redis does not answer. A cascade that stops half-way is finished by the reaper.
    pub async fn cancel(
        &self,
        id: &TaskId,
        reason: Option<&str>,
    ) -> Result<CancelOutcome, StoreError> {
        let data = json!({ "reason": reason }).to_string();
        let mut reply = CANCEL
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(reason.unwrap_or_default())
            .arg(data)
            .arg(&self.0.timeline_arg)
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "cancelled" => {
                metrics::cancelled(1);
                if reply.text()? == "1" {
                    while self.cascade(id.partition(), STEP).await?.more {}
                }
                Ok(CancelOutcome::Cancelled)
            }
            "finished" => Ok(CancelOutcome::Finished(reply.text()?.parse()?)),
            "gone" => Ok(CancelOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
