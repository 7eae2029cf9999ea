//! What happened to a task, in order.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::Time;

/// One event. `seq` counts from 1 in each task, without gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Event {
    /// Place in the task's log, from 1.
    pub seq: u64,
    /// What happened, for example `run_completed`; `docs/events.md` lists all.
    pub event_type: String,
    /// When, by the clock of Redis.
    pub at: Time,
    /// The task.
    pub task_id: String,
    /// Its owner.
    pub owner_id: String,
    /// Its agent.
    pub agent: String,
    /// The turn; 0 before the first.
    pub turn: u32,
    /// The attempt; 0 before the first.
    pub attempt: u32,
    /// What else is known, by event type.
    pub data: serde_json::Value,
}

/// A page of a task's events, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct EventPage {
    /// Oldest first.
    pub data: Vec<Event>,
    /// `seq` of the last event there is now; pass the last `seq` read as `starting_after` to go on.
    pub last_seq: u64,
    /// There is more after this page.
    pub has_more: bool,
}

/// Type of a [`TextDelta`].
pub const TEXT_DELTA: &str = "progress_update_completion_delta";

/// Text of the reply that a model is giving, for whoever follows a task without `stream`. It comes with no `seq`, since it is
/// in no log: a reader who comes later gets what there is so far, and the committed reply is in the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TextDelta {
    /// `progress_update_completion_delta`.
    pub event_type: String,
    /// The task.
    pub task_id: String,
    /// The turn.
    pub turn: u32,
    /// The attempt.
    pub attempt: u32,
    /// Bytes (UTF-8) of the reply before this part. At 0 the reply begins, also anew: what was shown of the turn is void.
    pub offset: u64,
    /// The part.
    pub text: String,
}
