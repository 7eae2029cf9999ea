//! `release.lua`: hands a task back at shutdown.

use crate::{
    error::StoreError,
    metrics::{Requeued, requeued},
    script::{Reply, Script, script},
    store::{Held, Store},
    task::TaskState,
};

static RELEASE: Script = script!("release");

/// What became of a write that has no result of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Written, now or by an earlier call of the same.
    Written,
    /// The lease is lost, or the task has ended: in this state, or it is gone. Nothing was written.
    Stale(Option<TaskState>),
}

impl WriteOutcome {
    pub(crate) fn count(&self, cause: Requeued) {
        if *self == Self::Written {
            requeued(cause, 1);
        }
    }

    pub(crate) fn parse(mut reply: Reply) -> Result<Self, StoreError> {
        match reply.text()?.as_str() {
            "ok" | "replayed" => Ok(Self::Written),
            "stale" => Ok(Self::Stale(Some(reply.text()?.parse()?))),
            "gone" => Ok(Self::Stale(None)),
            other => Err(reply.corrupt(other)),
        }
    }
}

impl Store {
    /// Hands a task back: front of its queue, no retry burned.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn release(&self, held: &Held, write: u64) -> Result<WriteOutcome, StoreError> {
        let call = RELEASE
            .on(&self.base(held.id.partition()))
            .arg(held.id.as_str())
            .arg(held.token)
            .arg(write);
        WriteOutcome::parse(call.run(&self.0.link).await?)
            .inspect(|outcome| outcome.count(Requeued::HandedBack))
    }
}
