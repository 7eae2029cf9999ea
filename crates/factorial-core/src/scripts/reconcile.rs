//! `reconcile.lua`: compares places with states, slice by slice.

use crate::{
    error::StoreError,
    ids::{AgentName, Partition},
    script::{Script, script},
    segments,
    store::Store,
    task::TaskState,
};

static RECONCILE: Script = script!("reconcile");

/// What is walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Walk {
    /// All tasks of an agent: is each in its place?
    Agent(AgentName),
    /// The leases: is each of a task in `processing`?
    Leases,
    /// The delays.
    Delays,
    /// The parked tasks.
    Pending,
    /// The ended tasks, by state.
    Done(TaskState),
    /// The deadlines of waits: is each of a wait that is open?
    Awaits,
    /// What waits for an operator: is each an open wait?
    Asked,
}

/// One slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconcilePage {
    /// Where the next slice starts; `None` at the end.
    pub next: Option<String>,
    /// Tasks, or entries, looked at.
    pub examined: u64,
    /// Those that did not fit, and do now.
    pub repaired: u64,
}

impl Store {
    /// Checks about `most` tasks from a cursor on and repairs what does not fit.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn reconcile(
        &self,
        partition: Partition,
        walk: &Walk,
        cursor: Option<&str>,
        most: usize,
    ) -> Result<ReconcilePage, StoreError> {
        let (kind, name) = match walk {
            Walk::Agent(agent) => ("agent", agent.to_string()),
            Walk::Leases => ("place", segments::LEASE.to_owned()),
            Walk::Delays => ("place", segments::DELAY.to_owned()),
            Walk::Pending => ("place", segments::PENDING.to_owned()),
            Walk::Done(state) => ("place", format!("{}{state}", segments::DONE)),
            Walk::Awaits => ("waits", segments::AWAIT.to_owned()),
            Walk::Asked => ("waits", segments::ASKED.to_owned()),
        };
        let mut reply = RECONCILE
            .on(&self.base(partition))
            .arg(kind)
            .arg(name)
            .arg(cursor.unwrap_or("0"))
            .arg(most)
            .run(&self.0.link)
            .await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let next = Some(reply.text()?).filter(|cursor| cursor != "0");
        Ok(ReconcilePage {
            next,
            examined: reply.count()?,
            repaired: reply.count()?,
        })
    }
}
