//! `steer.lua`: accepts messages for a task that has not ended.

use crate::{
    conversation::{Entry, InputMessage},
    error::StoreError,
    ids::TaskId,
    script::{Script, script},
    scripts::cancel::STEP,
    store::Store,
    task::TaskState,
};

static STEER: Script = script!("steer");

/// Messages that may wait in a task.
const MOST_WAITING: u64 = 256;
/// Calls that a task accepts in its life; their client ids are kept that long.
const MOST_CALLS: u64 = 10_000;

/// Steering messages.
#[derive(Clone, Debug)]
pub struct Steer<'a> {
    /// At least one; all or nothing.
    pub messages: &'a [InputMessage],
    /// Abort the open model call, or wake a parked task: what it awaits is answered with `interrupted`.
    pub interrupt: bool,
    /// The same id twice is applied once.
    pub client_id: &'a str,
}

/// What became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SteerOutcome {
    /// Accepted; so many messages wait now.
    Accepted(u64),
    /// Seen before; so many messages wait now.
    Duplicate(u64),
    /// The task has ended, in this state.
    Finished(TaskState),
    /// Too many wait.
    Full(u64),
    /// The task has accepted too many calls in its life.
    Exhausted,
    /// There is no such task.
    NotFound,
}

impl Store {
    /// Hands steering messages to a task.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated with the same client id.
    pub async fn steer(&self, id: &TaskId, steer: &Steer<'_>) -> Result<SteerOutcome, StoreError> {
        let mut call = STEER
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(if steer.interrupt { "1" } else { "" })
            .arg(steer.client_id)
            .arg(MOST_WAITING)
            .arg(MOST_CALLS);
        for message in steer.messages {
            call = call.arg(
                Entry::Steer {
                    role: message.role,
                    content: message.content.clone(),
                }
                .encode()?,
            );
        }
        let mut reply = call.run(&self.0.link).await?;
        match reply.text()?.as_str() {
            "accepted" => {
                let waiting = reply.count()?;
                if reply.text()? == "1" {
                    // It was parked: whoever it waited for is not awaited any more.
                    while self.cascade(id.partition(), STEP).await?.more {}
                }
                Ok(SteerOutcome::Accepted(waiting))
            }
            "duplicate" => Ok(SteerOutcome::Duplicate(reply.count()?)),
            "finished" => Ok(SteerOutcome::Finished(reply.text()?.parse()?)),
            "full" => Ok(SteerOutcome::Full(reply.count()?)),
            "exhausted" => Ok(SteerOutcome::Exhausted),
            "gone" => Ok(SteerOutcome::NotFound),
            other => Err(reply.corrupt(other)),
        }
    }
}
