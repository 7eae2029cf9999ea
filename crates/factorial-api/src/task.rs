//! Tasks: submission, record, result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{CallerTool, Descendants, InputMessage, Page, TaskWebhook, Time};

/// State of a task. The last three are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Waits for its start time.
    Scheduled,
    /// Waits for a free worker slot.
    Queued,
    /// A worker runs it.
    Processing,
    /// Waits to be tried again after a retryable failure.
    Backoff,
    /// Waits for tool results from outside.
    PendingToolResults,
    /// Waits for child tasks.
    PendingChildTasks,
    /// Ended with an output.
    Completed,
    /// Ended with a failure.
    Failed,
    /// Ended because somebody asked for it.
    Cancelled,
}

impl TaskStatus {
    /// The task has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Backoff => "backoff",
            Self::PendingToolResults => "pending_tool_results",
            Self::PendingChildTasks => "pending_child_tasks",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Hard limits of a run; each one absent means the agent's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Turns, 1 to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// Input and output tokens together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_tokens: Option<u64>,
    /// Tool calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tool_calls: Option<u32>,
    /// Seconds from submission (or from the start time) to the end, whatever the state; at most 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<u64>,
}

/// A task to be run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "agent": "weather", "owner_id": "user-7", "query": "Will it rain in Lisbon today?", "stream": true,
    }))
)]
#[serde(deny_unknown_fields)]
pub struct SubmitTask {
    /// Name of an announced agent.
    pub agent: String,
    /// Whose task it is: 1 to 128 of `A-Z a-z 0-9 . _ - @ + = | /`; if absent, the only one that the key is bound to.
    #[serde(default)]
    pub owner_id: String,
    /// What is asked; may be absent when `messages` end with a user's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What was said before the query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<InputMessage>,
    /// JSON for the agent's tools, valid under `definition.context_schema` of the agent if it has one; absent, it is judged
    /// as `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// 0 (last) to 9 (first); 5 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Not before this instant. Excludes `delay_seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Time>,
    /// Not before so many seconds from now; fractions count. Excludes `run_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<f64>,
    /// Hard limits on top of the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Goes on with the conversation of this finished task of the same owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_task_id: Option<String>,
    /// Keeps the text as it comes in the event log, so that readers who resume lose and repeat nothing.
    #[serde(default)]
    pub stream: bool,
    /// Tools that the caller answers: at most 32, 64 KiB together. A call of one waits in `tool-calls` of the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<CallerTool>,
    /// Who is told of its end and its waits, besides the webhooks of its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<TaskWebhook>,
    /// Labels of your own: at most 32, keys up to 64, values up to 512 characters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Tokens of committed turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Tokens of reasoning.
    pub reasoning_tokens: u64,
}

/// Why a task failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Failure {
    /// Closed set, for example `rate_limited`, `poison`, `limit_exceeded`; `docs/failures.md` lists all.
    pub kind: String,
    /// For people.
    pub message: String,
    /// The provider's HTTP status, if it was the provider who said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_status: Option<u16>,
}

/// A task as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "agent": "weather", "owner_id": "user-7", "status": "queued",
        "priority": 5, "created_at": "2026-01-31T09:30:00.125Z",
        "conversation_id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "turns": 0, "attempts": 0, "retries": 0,
        "recoveries": 0, "hand_backs": 0, "pending_steering": 0,
        "usage": {
            "input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0,
        },
        "tool_calls": 0, "stream": true,
    }))
)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its agent.
    pub agent: String,
    /// Its owner.
    pub owner_id: String,
    /// Its state.
    pub status: TaskStatus,
    /// 0 (last) to 9 (first).
    pub priority: u8,
    /// When it was accepted.
    pub created_at: Time,
    /// When it may run: of a scheduled task or one in backoff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Time>,
    /// When a worker first claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// When its wall-clock limit ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_at: Option<Time>,
    /// Chain of tasks that go on with one conversation.
    pub conversation_id: String,
    /// The task whose conversation it went on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_task_id: Option<String>,
    /// The task that spawned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The task at the top of its tree, if that is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_id: Option<String>,
    /// Tasks above it.
    #[serde(default)]
    pub depth: u32,
    /// Calls, approvals and children that it awaits.
    #[serde(default)]
    pub awaiting: u32,
    /// Its descendants that have ended, together.
    #[serde(default, skip_serializing_if = "Descendants::is_empty")]
    pub descendants: Descendants,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// Turns committed.
    pub turns: u32,
    /// Times that a worker claimed it.
    pub attempts: u32,
    /// Retries after errors.
    pub retries: u32,
    /// Recoveries after its worker died.
    pub recoveries: u32,
    /// Times that a worker handed it back at shutdown.
    pub hand_backs: u32,
    /// Worker that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// Steering messages that wait to be applied.
    pub pending_steering: u32,
    /// Tokens of all committed turns.
    pub usage: Usage,
    /// Tokens by model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub usage_by_model: BTreeMap<String, Usage>,
    /// Cost of all committed turns in millionths of a US dollar, of the models that have a price.
    #[serde(default)]
    pub cost_usd_micros: u64,
    /// Tool calls committed.
    pub tool_calls: u32,
    /// Why it failed, or the last failure that was retried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// Text is kept in the event log as it comes.
    pub stream: bool,
    /// Limits given at submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Labels given at submission.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// Just the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TaskStatusView {
    /// The task.
    pub id: String,
    /// Its state.
    pub status: TaskStatus,
}

/// The end of a task, or its state so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TaskResult {
    /// The task.
    pub id: String,
    /// Its state; not terminal when the wait ended first.
    pub status: TaskStatus,
    /// The output of a completed task: a string, or JSON as the agent's schema says.
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
}

/// A page of tasks, newest first.
pub type TaskPage = Page<Task>;
