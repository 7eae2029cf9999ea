//! `backoff.lua`: puts a task aside after a retryable failure.

use std::time::Duration;

use serde_json::json;

use crate::{
    error::StoreError,
    failure::Failure,
    metrics::Requeued,
    script::{Script, script},
    scripts::release::WriteOutcome,
    store::{Held, Store},
};

static BACKOFF: Script = script!("backoff");

impl Store {
    /// Puts a task aside for `delay`; counts a retry.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn back_off(
        &self,
        held: &Held,
        write: u64,
        delay: Duration,
        failure: &Failure,
    ) -> Result<WriteOutcome, StoreError> {
        let text = serde_json::to_string(failure)
            .map_err(|e| StoreError::corrupt("failure", e.to_string()))?;
        let data = json!({
            "kind": failure.kind, "message": failure.message, "status": failure.status,
            "delay_seconds": delay.as_secs_f64(),
        });
        let call = BACKOFF
            .on(&self.base(held.id.partition()))
            .arg(held.id.as_str())
            .arg(held.token)
            .arg(write)
            .arg(delay.as_millis().to_string())
            .arg(text)
            .arg(data.to_string())
            .arg(&self.0.timeline_arg);
        WriteOutcome::parse(call.run(&self.0.link).await?)
            .inspect(|outcome| outcome.count(Requeued::Backoff))
    }
}
