//! `park.lua`: puts a task aside that awaits answers.

use std::time::Duration;

use crate::{
    error::StoreError,
    script::{Script, script},
    store::{Held, Store},
    task::TaskState,
    wait::Wait,
};

static PARK: Script = script!("park");

/// What a parked task awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedFor {
    /// Nothing but children.
    Children,
    /// An answer from outside, at least.
    Answers,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ParkOutcome {
    /// Put aside; the lease is given up.
    Parked,
    /// Nothing is awaited any more; the task is still held. All its waits.
    Ready(Vec<Wait>),
    /// The lease is lost, or the task has ended: in this state, or it is gone. Nothing was written.
    Stale(Option<TaskState>),
}

impl Store {
    /// Puts a task aside until the last of what it awaits is answered.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn park(
        &self,
        held: &Held,
        write: u64,
        parked_for: ParkedFor,
        lease: Duration,
    ) -> Result<ParkOutcome, StoreError> {
        let state = match parked_for {
            ParkedFor::Children => TaskState::PendingChildTasks,
            ParkedFor::Answers => TaskState::PendingToolResults,
        };
        let mut reply = PARK
            .on(&self.base(held.id.partition()))
            .arg(held.id.as_str())
            .arg(held.token)
            .arg(write)
            .arg(lease.as_millis().to_string())
            .arg(state.as_str())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "parked" => Ok(ParkOutcome::Parked),
            "ready" => Ok(ParkOutcome::Ready(Wait::decode_all(reply.texts()?)?)),
            "stale" => Ok(ParkOutcome::Stale(Some(reply.text()?.parse()?))),
            "gone" => Ok(ParkOutcome::Stale(None)),
            other => Err(reply.corrupt(other)),
        }
    }
}
