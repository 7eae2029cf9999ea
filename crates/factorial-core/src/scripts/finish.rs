//! `finish.lua`: a worker ends a task.

use std::time::Duration;

use deadpool_redis::redis::Cmd;
use serde_json::{Value, json};

use crate::{
    conversation::Entry,
    error::StoreError,
    failure::Failure,
    ids::AgentName,
    metrics,
    script::{Script, script},
    scripts::commit::{Commit, steering, taken},
    store::{Held, Store},
    task::{TaskRecord, TaskState},
};

pub(crate) static FINISH: Script = script!("finish");

/// How a task ends.
#[derive(Clone, Debug)]
pub enum Ending {
    /// With an output; `None` when it is the text of the last reply.
    Completed(Option<Value>),
    /// With a failure.
    Failed(Failure),
}

/// What the holder of a task knows that does not change while it holds it, so that its end need not read it. Only of a task
/// that has neither parent nor batch nor wall-clock limit nor webhook, and that no earlier attempt has left a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    agent: AgentName,
    attempts: u32,
    started_ms: i64,
}

impl Plain {
    /// Of a record as of its claim.
    #[must_use]
    pub fn of(record: &TaskRecord) -> Option<Self> {
        let rare = record.parent.is_some()
            || record.batch.is_some()
            || record.deadline_ms.is_some()
            || record.due_ms.is_some()
            || record.webhook
            || record.failure.is_some();
        (!rare).then_some(Self {
            agent: record.agent.clone(),
            attempts: record.attempts,
            started_ms: record.started_ms?,
        })
    }
}

/// The end of a task, with the last part of its last turn.
#[derive(Clone, Debug)]
pub struct Finish {
    /// Last entries, totals and events.
    pub last: Commit,
    /// How it ends.
    pub ending: Ending,
    /// A task without rare properties, see [`Plain`].
    pub plain: Option<Plain>,
    /// The output as its parent is told, if somebody awaits the task; JSON.
    pub answer: Option<Value>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum FinishOutcome {
    /// The task has ended.
    Finished,
    /// Steering arrived before: the last part is committed with these messages after it, and the run goes on.
    Steered(Vec<Entry>),
    /// The lease is lost, or the task has ended otherwise: in this state, or it is gone. Nothing was written.
    Stale(Option<TaskState>),
    /// Redis has lost what the worker knows. Nothing was written.
    Diverged(u64),
}

impl Finish {
    /// The first answer that it gets.
    fn counted(&self) -> FinishOutcome {
        match self.ending {
            Ending::Completed(_) => metrics::completed(),
            Ending::Failed(_) => metrics::failed(1),
        }
        FinishOutcome::Finished
    }
}

impl Store {
    /// Ends a task.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated, and is applied once.
    pub async fn finish(
        &self,
        held: &Held,
        finish: &Finish,
        lease: Duration,
    ) -> Result<FinishOutcome, StoreError> {
        let to_json = |f: &Failure| {
            serde_json::to_string(f).map_err(|e| StoreError::corrupt("failure", e.to_string()))
        };
        let (to, output, failure, data) = match &finish.ending {
            Ending::Completed(value) => {
                let output = Entry::Output {
                    value: value.clone(),
                }
                .encode()?;
                (
                    TaskState::Completed,
                    output,
                    String::new(),
                    json!({"turns": finish.last.turns}).to_string(),
                )
            }
            Ending::Failed(failure) => {
                let text = to_json(failure)?;
                (TaskState::Failed, String::new(), text.clone(), text)
            }
        };
        let mut args = Cmd::new();
        args.arg(held.id.as_str())
            .arg(held.token)
            .arg(finish.last.write)
            .arg(to.as_str())
            .arg(output)
            .arg(failure)
            .arg(data)
            .arg(lease.as_millis().to_string())
            .arg(
                finish
                    .answer
                    .as_ref()
                    .map_or_else(String::new, Value::to_string),
            );
        match &finish.plain {
            Some(plain) => args
                .arg(plain.agent.as_str())
                .arg(plain.attempts)
                .arg(plain.started_ms),
            None => args.arg("").arg("").arg(""),
        };
        args.arg(finish.last.known);
        finish.last.append_to(&mut args, &self.0.timeline_arg)?;
        let groups = &self.0.finishes;
        let mut reply = groups.run(self, held.id.partition(), args).await?;
        match reply.text()?.as_str() {
            "finished" => Ok(finish.counted()),
            "steered" => Ok(FinishOutcome::Steered(taken(&mut reply)?)),
            "replayed" => {
                let state: TaskState = reply.text()?.parse()?;
                if state.is_terminal() {
                    Ok(finish.counted())
                } else {
                    Ok(FinishOutcome::Steered(steering(&mut reply)?))
                }
            }
            "stale" => Ok(FinishOutcome::Stale(Some(reply.text()?.parse()?))),
            "gone" => Ok(FinishOutcome::Stale(None)),
            "diverged" => Ok(FinishOutcome::Diverged(reply.count()?)),
            other => Err(reply.corrupt(other)),
        }
    }
}
