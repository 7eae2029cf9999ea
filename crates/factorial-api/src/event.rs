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
