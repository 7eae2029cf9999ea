//! Batches: submission, record, results, events, and what is told when one is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{
    CallerTool, Failure, InputMessage, Limits, Page, TaskStatus, TaskWebhook, Time, Usage,
};

/// State of a batch. The last two are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Its members are being accepted.
    Filling,
    /// Its members run.
    Running,
    /// Its members are being cancelled.
    Cancelling,
    /// All members have ended, each in its way.
    Completed,
    /// Ended on request.
    Cancelled,
}

impl BatchStatus {
    /// The batch has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filling => "filling",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One member of a batch to be submitted: a task without owner. What it leaves out is the batch's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BatchMember {
    /// A name of your own, unique in the batch, 1 to 128 characters; kept as the label `custom_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Name of an announced agent; the batch's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What is asked; may be absent when `messages` end with a user's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What was said before the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<InputMessage>,
    /// JSON for the agent's tools, judged as the context of a task is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// 0 (last) to 9 (first); the batch's if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Not before this instant. Excludes `delay_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Time>,
    /// Not before so many seconds from now; fractions count. Excludes `run_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<f64>,
    /// Hard limits; of each, the smaller of this and the batch's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Keeps the text as it comes in the event log; as the batch says if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Tools that the caller answers, as of a task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<CallerTool>,
    /// Who is told of its end and its waits, instead of the batch's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<TaskWebhook>,
    /// Labels of its own: at most 32 with `custom_id`, keys up to 64, values up to 512 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What a batch's members have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BatchSettings {
    /// Whose batch it is, with all members: 1 to 128 of `A-Z a-z 0-9 . _ - @ + = | /`; if absent, the only one that the key is bound to.
    #[serde(default)]
    pub owner_id: String,
    /// Agent of the members that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Priority of the members that name none: 0 (last) to 9 (first); 5 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Limits of every member. With `max_turns`, progress is measured in turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Keeps the text of members as it comes in their event logs.
    #[serde(default)]
    pub stream: bool,
    /// Who is told of the end of the batch, and of members if it names their types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<TaskWebhook>,
    /// Labels of the batch: at most 32, keys up to 64, values up to 512 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A batch to be run. As `application/x-ndjson`, its members are the lines and the rest are query parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "owner_id": "user-7", "agent": "weather", "limits": {"max_turns": 5},
        "tasks": [{"custom_id": "lisbon", "query": "Will it rain in Lisbon?"}, {"query": "And in Oslo?"}],
    }))
)]
#[serde(deny_unknown_fields)]
pub struct SubmitBatch {
    /// Whose batch it is, with all members: 1 to 128 of `A-Z a-z 0-9 . _ - @ + = | /`; if absent, the only one that the key is bound to.
    #[serde(default)]
    pub owner_id: String,
    /// Agent of the members that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Priority of the members that name none: 0 (last) to 9 (first); 5 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Limits of every member. With `max_turns`, progress is measured in turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Keeps the text of members as it comes in their event logs.
    #[serde(default)]
    pub stream: bool,
    /// Who is told of the end of the batch, and of members if it names their types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<TaskWebhook>,
    /// Labels of the batch: at most 32, keys up to 64, values up to 512 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The members, in order; may be none.
    pub tasks: Vec<BatchMember>,
}

impl SubmitBatch {
    /// What its members have in common, and they.
    #[must_use]
    pub fn split(self) -> (BatchSettings, Vec<BatchMember>) {
        let settings = BatchSettings {
            owner_id: self.owner_id,
            agent: self.agent,
            priority: self.priority,
            limits: self.limits,
            stream: self.stream,
            webhook: self.webhook,
            metadata: self.metadata,
        };
        (settings, self.tasks)
    }
}

/// What progress counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProgressUnit {
    /// Turns: the batch has a `max_turns`, and a member that ends has done all of its own.
    Turns,
    /// Members that have ended.
    Tasks,
}

/// How far a batch is. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// What is counted.
    pub unit: ProgressUnit,
    /// 0 to 1; 1 exactly when the batch has ended.
    pub fraction: f64,
}

/// A batch as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "owner_id": "user-7", "status": "running", "members": 2, "accepted": 2,
        "counts": {"processing": 1, "completed": 1},
        "progress": {"done": 7, "total": 10, "unit": "turns", "fraction": 0.7},
        "usage": {
            "input_tokens": 120, "cached_input_tokens": 0, "output_tokens": 30, "reasoning_tokens": 0,
        },
        "cost_usd_micros": 45, "created_at": "2026-01-31T09:30:00.125Z",
    }))
)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// Its owner.
    pub owner_id: String,
    /// Its state.
    pub status: BatchStatus,
    /// How many members it has, or is to have while it is being filled.
    pub members: u64,
    /// Members accepted.
    pub accepted: u64,
    /// Members by state; states that no member is in are left out.
    pub counts: BTreeMap<String, u64>,
    /// How far it is.
    pub progress: Progress,
    /// Tokens of the members that have ended, without their descendants.
    pub usage: Usage,
    /// Cost of these in millionths of a US dollar, of the models that have a price.
    pub cost_usd_micros: u64,
    /// When it was opened.
    pub created_at: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Labels given at submission.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Batch {
    /// Members in a state.
    #[must_use]
    pub fn count(&self, status: TaskStatus) -> u64 {
        self.counts.get(status.as_str()).copied().unwrap_or(0)
    }
}

/// A page of batches, newest first.
pub type BatchPage = Page<Batch>;

/// Why and by whom a batch is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelBatchRequest {
    /// For the record; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// If given, a batch of another owner is not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// How a member ended: one line of the results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BatchResult {
    /// Place in the submission, from 0.
    pub index: u64,
    /// The member.
    pub task_id: String,
    /// Its name, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Its state, a terminal one.
    pub status: TaskStatus,
    /// The output of a completed member: a string, or JSON as the agent's schema says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Tokens of all committed turns.
    pub usage: Usage,
    /// Cost of these in millionths of a US dollar, of the models that have a price.
    pub cost_usd_micros: u64,
}

/// One event of a batch. `seq` counts from 1 in each batch, without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BatchEvent {
    /// Place in the batch's log, from 1.
    pub seq: u64,
    /// `batch_started`, `batch_progress` (at most once a percent), `batch_completed` or `batch_cancelled`.
    pub event_type: String,
    /// When, by the clock of Redis.
    pub at: Time,
    /// The batch.
    pub batch_id: String,
    /// Its owner.
    pub owner_id: String,
    /// `members`; later also `progress` in percent, `completed`, `failed` and `cancelled`.
    pub data: serde_json::Value,
}

/// A page of a batch's events, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BatchEventPage {
    /// Oldest first.
    pub data: Vec<BatchEvent>,
    /// `seq` of the last event there is now; pass the last `seq` read as `starting_after` to go on.
    pub last_seq: u64,
    /// There is more after this page.
    pub has_more: bool,
}

/// What is wrong with a line of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct LineProblem {
    /// The line, from 1; in a JSON body the place of the member in `tasks`, from 1.
    pub line: u64,
    /// JSON pointer into the line; empty for the line as a whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

/// What became of a batch of which not all members were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BatchLeft {
    /// It stays open for an hour: the same request with the same `Idempotency-Key` goes on where this one stopped.
    Resumable,
    /// It was cancelled, with the members that had been accepted.
    Cancelled,
    /// It could not be cancelled: cancel it by its id. After an hour it is closed with the members that it has.
    Open,
    /// It takes no more members: somebody cancelled it, or it was not filled within an hour.
    Closed,
}

/// What a problem document says of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BatchProblem {
    /// With `invalid_batch`: how many lines are wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bad_lines: Option<u64>,
    /// With `invalid_batch`: the first 20 problems, in the order of the lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineProblem>,
    /// The batch, if it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Members that were to be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
    /// Members that were accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<u64>,
    /// False when the store could not be asked, and some more may have been accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_exact: Option<bool>,
    /// What became of the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<BatchLeft>,
}
