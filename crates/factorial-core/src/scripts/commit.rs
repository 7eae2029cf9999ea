//! `commit.lua`: commits a part of a turn.

use std::{collections::BTreeMap, time::Duration};

use deadpool_redis::redis::Cmd;

use crate::{
    conversation::Entry,
    error::StoreError,
    event::NewEvent,
    metrics,
    script::{Reply, Script, list, script},
    store::{Held, Store},
    task::{TaskState, Usage},
    timeline::packed,
    wait::{NewWait, WaitKey},
};

static COMMIT: Script = script!("commit");

/// A part of a turn. Counters are totals, not increments: repeating a commit changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Number of this write under this token: larger than any before.
    pub write: u64,
    /// Length of the conversation that the worker knows.
    pub known: u64,
    /// New entries.
    pub entries: Vec<Entry>,
    /// Turns committed, when that changes.
    pub turns: Option<u32>,
    /// Tool calls committed, when that changes.
    pub tool_calls: Option<u32>,
    /// Cost so far in millionths of a US dollar, when that changes.
    pub cost_micros: Option<u64>,
    /// Totals by model, of the models that change.
    pub usage: BTreeMap<String, Usage>,
    /// What the reply in it has spent, for the timeline of the agent.
    pub spent: Option<Spent>,
    /// What happened.
    pub events: Vec<NewEvent>,
    /// Waits whose answers are part of the conversation with this commit.
    pub taken: Vec<WaitKey>,
    /// What is awaited from here on.
    pub waits: Vec<NewWait>,
}

/// What one reply of a model has spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The model, as in the record of the task.
    pub model: String,
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Millionths of a US dollar, if the model has a price.
    pub cost_micros: Option<u64>,
}

impl Spent {
    /// As the scripts take it.
    fn encode(&self, timeline: &str) -> String {
        let tokens = packed(self.input, self.output);
        let cost = self
            .cost_micros
            .map_or_else(|| "-".to_owned(), |cost| cost.to_string());
        format!("{timeline} {tokens} {cost} {}", self.model)
    }
}

impl Commit {
    /// What was spent, entries, fields and events as the scripts take them.
    pub(crate) fn append_to(&self, args: &mut Cmd, timeline: &str) -> Result<(), StoreError> {
        args.arg(
            self.spent
                .as_ref()
                .map_or_else(String::new, |spent| spent.encode(timeline)),
        );
        let entries = self
            .entries
            .iter()
            .map(Entry::encode)
            .collect::<Result<Vec<_>, _>>()?;
        let mut fields = Vec::new();
        if let Some(turns) = self.turns {
            fields.extend(["turns".to_owned(), turns.to_string()]);
        }
        if let Some(calls) = self.tool_calls {
            fields.extend(["calls".to_owned(), calls.to_string()]);
        }
        if let Some(cost) = self.cost_micros {
            fields.extend(["cost".to_owned(), cost.to_string()]);
        }
        for (model, usage) in &self.usage {
            fields.extend([format!("u:{model}"), usage.encode()]);
        }
        let mut events = Vec::with_capacity(self.events.len());
        for event in &self.events {
            event.push_args(&mut events);
        }
        list(args, &entries);
        list(args, &fields);
        list(args, &events);
        if !self.taken.is_empty() || !self.waits.is_empty() {
            let taken: Vec<String> = self.taken.iter().map(ToString::to_string).collect();
            let mut waits = Vec::with_capacity(4 * self.waits.len());
            for wait in &self.waits {
                wait.push_args(&mut waits);
            }
            list(args, &taken);
            for item in &waits {
                args.arg(item);
            }
        }
        Ok(())
    }
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitOutcome {
    /// Written; the steering messages that were taken are part of the conversation from here.
    Committed(Vec<Entry>),
    /// The lease is lost, or the task has ended: in this state, or it is gone. Nothing was written.
    Stale(Option<TaskState>),
    /// Redis has lost what the worker knows: the conversation there has this length. Nothing was written.
    Diverged(u64),
    /// The conversation would be larger than allowed. Nothing was written.
    TooLarge,
}

/// Steering messages that were taken just now, with how long the first has waited.
pub(crate) fn taken(reply: &mut Reply) -> Result<Vec<Entry>, StoreError> {
    metrics::steered(Duration::from_millis(reply.count()?));
    steering(reply)
}

pub(crate) fn steering(reply: &mut Reply) -> Result<Vec<Entry>, StoreError> {
    Entry::decode_all(&reply.texts()?)
}

impl Store {
    /// Commits a part of a turn and extends the lease; at a boundary it takes the steering messages.
    ///
    /// # Errors
    /// When Redis does not answer: the same commit can be repeated, and is applied once.
    pub async fn commit(
        &self,
        held: &Held,
        commit: &Commit,
        boundary: bool,
        lease: Duration,
    ) -> Result<CommitOutcome, StoreError> {
        let mut call = COMMIT
            .on(&self.base(held.id.partition()))
            .arg(held.id.as_str())
            .arg(held.token)
            .arg(commit.write)
            .arg(lease.as_millis().to_string())
            .arg(if boundary { "1" } else { "" })
            .arg(commit.known)
            .arg(self.0.max_conversation_bytes);
        commit.append_to(call.cmd(), &self.0.timeline_arg)?;
        let mut reply = call.run(&self.0.link).await?;
        match reply.text()?.as_str() {
            "steered" => Ok(CommitOutcome::Committed(taken(&mut reply)?)),
            "ok" | "replayed" => Ok(CommitOutcome::Committed(steering(&mut reply)?)),
            "stale" => Ok(CommitOutcome::Stale(Some(reply.text()?.parse()?))),
            "gone" => Ok(CommitOutcome::Stale(None)),
            "diverged" => Ok(CommitOutcome::Diverged(reply.count()?)),
            "conversation_too_large" => Ok(CommitOutcome::TooLarge),
            other => Err(reply.corrupt(other)),
        }
    }
}
