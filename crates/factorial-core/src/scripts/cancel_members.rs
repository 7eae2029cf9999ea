//! `cancel_members.lua`: cancels members of a batch that is being cancelled, step by step.

use serde_json::json;

use crate::{
    batch::BatchState,
    error::StoreError,
    ids::BatchId,
    metrics,
    script::{Script, script},
    scripts::cascade::Cascade,
    store::Store,
};

static CANCEL_MEMBERS: Script = script!("cancel_members");

impl Store {
    /// Cancels the next `most` members of a batch that is being cancelled; does nothing to any other batch.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn cancel_members(
        &self,
        batch: &BatchId,
        most: usize,
    ) -> Result<Cascade, StoreError> {
        let Some(record) = self.batch(batch).await? else {
            return Ok(Cascade {
                cancelled: 0,
                more: false,
            });
        };
        let from = record.cancelled_to;
        let to = record.span.min(from + most as u64);
        if record.state != BatchState::Cancelling || from >= to {
            return Ok(Cascade {
                cancelled: 0,
                more: false,
            });
        }
        let mut call = CANCEL_MEMBERS
            .on(&self.base(batch.partition()))
            .arg(batch.as_str())
            .arg(to)
            .arg(json!({ "reason": "batch cancelled" }).to_string())
            .arg(&self.0.timeline_arg);
        for index in from..to {
            call = call.arg(batch.member(index).as_str());
        }
        let mut reply = call.run(&self.0.link).await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let cancelled = reply.count()?;
        metrics::cancelled(cancelled);
        Ok(Cascade {
            cancelled,
            more: to < record.span,
        })
    }
}
