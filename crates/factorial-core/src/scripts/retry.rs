//! `retry.lua`: an operator runs an ended task again.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::TaskId,
    metrics::{Requeued, requeued},
    script::{Script, script},
    store::Store,
    task::TaskState,
};

static RETRY: Script = script!("retry");

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryOutcome {
    /// Queued again.
    Queued,
    /// It is not failed or cancelled, but in this state.
    NotRetryable(TaskState),
    /// There is no such task.
    NotFound,
}

impl Store {
    /// Queues a failed or cancelled task again; it goes on from its last commit. `deadline`: its wall-clock limit, from now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn retry(
        &self,
        id: &TaskId,
        deadline: Option<Duration>,
    ) -> Result<RetryOutcome, StoreError> {
        let mut reply = RETRY
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(&self.0.timeline_arg)
            .arg(deadline.map_or_else(String::new, |d| d.as_millis().to_string()))
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" => {
                requeued(Requeued::Retry, 1);
                Ok(RetryOutcome::Queued)
            }
            "not_finished" => Ok(RetryOutcome::NotRetryable(reply.text()?.parse()?)),
            "gone" => Ok(RetryOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
