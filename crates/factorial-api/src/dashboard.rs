//! What the dashboard alone serves: how the whole system does, for people who look at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{Role, TaskStatus, Time};

/// The dashboard itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DashboardConfig {
    /// Name that the page shows.
    pub name: String,
    /// Version of the software.
    pub version: String,
    /// Where the documentation of the gateway's API is, if that is known.
    pub docs_url: Option<String>,
    /// Who looks at it, where a key is needed; null else: whoever looks may do everything.
    pub caller: Option<DashboardCaller>,
}

/// Who looks at the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct DashboardCaller {
    /// As in the audit log.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The owners whose tasks they see; null: all.
    pub owner_ids: Option<Vec<String>>,
}

/// A login.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct LogIn {
    /// The API key.
    pub key: String,
}

impl std::fmt::Debug for LogIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogIn").finish_non_exhaustive()
    }
}

/// A time that ends now.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The last hour.
    #[default]
    Hour,
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
}

/// Tasks in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[expect(missing_docs, reason = "the states of a task")]
pub struct StatusCounts {
    pub scheduled: u64,
    pub queued: u64,
    pub processing: u64,
    pub backoff: u64,
    pub pending_tool_results: u64,
    pub pending_child_tasks: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl StatusCounts {
    /// Adds tasks in a state.
    pub fn add(&mut self, status: TaskStatus, tasks: u64) {
        let count = match status {
            TaskStatus::Scheduled => &mut self.scheduled,
            TaskStatus::Queued => &mut self.queued,
            TaskStatus::Processing => &mut self.processing,
            TaskStatus::Backoff => &mut self.backoff,
            TaskStatus::PendingToolResults => &mut self.pending_tool_results,
            TaskStatus::PendingChildTasks => &mut self.pending_child_tasks,
            TaskStatus::Completed => &mut self.completed,
            TaskStatus::Failed => &mut self.failed,
            TaskStatus::Cancelled => &mut self.cancelled,
        };
        *count += tasks;
    }
}

/// Durations, as a histogram of two slots per octave says: between the bounds of a slot they are interpolated, so a
/// value is off by a fifth at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Percentiles {
    /// How many there were.
    pub count: u64,
    /// Half of them were shorter; ms. `null` when there were none.
    pub p50_ms: Option<f64>,
    /// 95 of 100 were shorter; ms.
    pub p95_ms: Option<f64>,
    /// 99 of 100 were shorter; ms.
    pub p99_ms: Option<f64>,
}

/// What happened to tasks in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WindowTotals {
    /// Accepted.
    pub enqueued: u64,
    /// Ended with an output.
    pub completed: u64,
    /// Ended with a failure.
    pub failed: u64,
    /// Ended on request.
    pub cancelled: u64,
    /// Tried again after a failure, or run again by an operator.
    pub retried: u64,
    /// Taken from a worker that died.
    pub recovered: u64,
}

/// Tokens and cost of the committed replies of a model in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WindowModelUse {
    /// Its name.
    pub model: String,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
    /// Millionths of a US dollar; `null` when no price is configured.
    pub cost_usd_micros: Option<u64>,
}

/// What happened when, in slices of a window; all lists are as long as `starts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Activity {
    /// Width of a slice.
    pub bucket_seconds: u64,
    /// Start of each slice, seconds since the Unix epoch, oldest first; the last one is not over.
    pub starts: Vec<u64>,
    /// Tasks accepted.
    pub enqueued: Vec<u64>,
    /// Tasks ended with an output.
    pub completed: Vec<u64>,
    /// Tasks ended with a failure.
    pub failed: Vec<u64>,
    /// Tasks ended on request.
    pub cancelled: Vec<u64>,
    /// Tasks tried again.
    pub retried: Vec<u64>,
    /// Tokens read.
    pub input_tokens: Vec<u64>,
    /// Tokens written.
    pub output_tokens: Vec<u64>,
}

/// How an agent does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AgentActivity {
    /// Its name.
    pub name: String,
    /// Workers that serve it and take new tasks.
    pub workers: u32,
    /// Its tasks that these may run at once.
    pub slots: u64,
    /// Its tasks that workers run now, by their word.
    pub running: u64,
    /// Nothing new of it is run until it is resumed.
    pub paused: bool,
    /// Its tasks by state.
    pub counts: StatusCounts,
    /// In the window.
    pub totals: WindowTotals,
    /// completed / (completed + failed) in the window; `null` when none has ended so.
    pub success_rate: Option<f64>,
    /// Time in the queue, of tasks claimed in the window.
    pub queue_wait: Percentiles,
    /// First claim to end, of tasks ended in the window.
    pub run_time: Percentiles,
    /// In the window, by name.
    pub models: Vec<WindowModelUse>,
    /// Since when its oldest queued task waits.
    pub oldest_queued_at: Option<Time>,
}

/// How everything does, or one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Overview {
    /// When this was read, by Redis.
    pub at: Time,
    /// The window.
    pub window: Window,
    /// Workers that take new tasks.
    pub workers: u32,
    /// Workers that finish what they have.
    pub workers_draining: u32,
    /// Tasks that may run at once.
    pub slots: u64,
    /// Tasks that workers run now, by their word.
    pub running: u64,
    /// Agents that a worker serves now.
    pub agents_served: u32,
    /// Tasks by state.
    pub counts: StatusCounts,
    /// Since when the oldest queued task waits.
    pub oldest_queued_at: Option<Time>,
    /// In the window.
    pub totals: WindowTotals,
    /// completed / (completed + failed) in the window; `null` when none has ended so.
    pub success_rate: Option<f64>,
    /// Tasks completed a minute, in the last five minutes, whatever the window.
    pub completed_per_minute: f64,
    /// Time in the queue, of tasks claimed in the window.
    pub queue_wait: Percentiles,
    /// First claim to end, of tasks ended in the window.
    pub run_time: Percentiles,
    /// In the window, by name.
    pub models: Vec<WindowModelUse>,
    /// In the window.
    pub activity: Activity,
    /// Each agent, by name; only the one that was asked for.
    pub agents: Vec<AgentActivity>,
}

/// Redis, as it says itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RedisInfo {
    /// Its version.
    pub version: String,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: String,
    /// A round trip from the dashboard, ms.
    pub latency_ms: f64,
    /// Bytes in use.
    pub used_memory_bytes: u64,
    /// Most bytes; `null` without a limit.
    pub max_memory_bytes: Option<u64>,
    /// Connected clients.
    pub clients: u64,
    /// Commands a second.
    pub commands_per_second: u64,
    /// The append-only file is on.
    pub append_only: bool,
    /// Since its start.
    pub uptime_seconds: u64,
    /// Memory that the system gave for each byte in use.
    pub fragmentation: Option<f64>,
}

/// A slice of the namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PartitionInfo {
    /// Its number.
    pub number: u16,
    /// Its tasks by state.
    pub counts: StatusCounts,
}

/// A chore of the reapers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ChoreInfo {
    /// Its name.
    pub name: String,
    /// When a round of it last succeeded.
    pub last_success_at: Option<Time>,
    /// How long that took.
    pub took_ms: Option<u64>,
    /// What it has done since the namespace was created: tasks, of most.
    pub done: u64,
    /// It has not succeeded for six times its interval.
    pub stalled: bool,
}

/// What everything runs on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct System {
    /// When this was read, by Redis.
    pub at: Time,
    /// Name of the namespace.
    pub namespace: String,
    /// Version of what is stored.
    pub schema: String,
    /// The server.
    pub redis: RedisInfo,
    /// By number.
    pub partitions: Vec<PartitionInfo>,
    /// By name; none when no reaper has ever run.
    pub chores: Vec<ChoreInfo>,
}

/// What to do with many tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Cancel those that have not ended.
    Cancel,
    /// Run those again that have failed or were cancelled.
    Retry,
}

/// Which tasks: the parameters of `GET tasks`; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "those of the list")]
pub struct BulkFilter {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<TaskStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_after: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_before: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_after: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_before: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
}

/// Many tasks to be cancelled or run again: either those that a filter finds, or those named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// What to do.
    pub action: BulkAction,
    /// Those that fit.
    #[serde(default)]
    pub filter: Option<BulkFilter>,
    /// These: at most 1,000.
    #[serde(default)]
    pub ids: Option<Vec<String>>,
    /// Why they are cancelled: at most 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
    /// `next_cursor` of the answer before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// What became of a part of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct BulkResponse {
    /// Cancelled, or queued again.
    pub done: u64,
    /// Left alone: they had ended, or have not failed, or are gone.
    pub refused: u64,
    /// There may be more: ask again with it as `cursor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One frame of the dashboard's WebSocket, from the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveRequest {
    /// Begins to send a topic.
    Subscribe {
        /// Chosen by the client, and free on its connection.
        id: u64,
        /// What to send.
        topic: String,
        /// Of the topic.
        #[serde(default)]
        params: BTreeMap<String, serde_json::Value>,
    },
    /// Ends a subscription.
    Unsubscribe {
        /// Of the subscription.
        id: u64,
    },
    /// To be answered.
    Ping,
}
