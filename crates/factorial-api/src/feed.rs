//! The feed of an owner: what happens to all its tasks and batches.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{TaskStatus, Time};

/// Type of the first event of a feed that is followed from now on: from here, nothing is missed.
pub const FEED_OPENED: &str = "feed_opened";
/// Type of the event that says that some are missing, because the cursor is older than what is kept.
pub const FEED_GAP: &str = "feed_gap";
/// Type of the event that follows it, with how things stand: its `data` is a [`FeedSnapshot`].
pub const FEED_SNAPSHOT: &str = "feed_snapshot";

/// An event of a task, of a batch, or of the feed itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FeedEvent {
    /// Where to go on after it; of server-sent events the `id` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// What happened; `docs/events.md` lists all.
    pub event_type: String,
    /// When, by the clock of Redis.
    pub at: Time,
    /// The owner.
    pub owner_id: String,
    /// Place in the log of the task or the batch, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// Its agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Its turn; 0 before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Its attempt; 0 before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// What else is known, by event type.
    pub data: serde_json::Value,
}

/// Events of a feed, as they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FeedEventPage {
    /// Oldest first; those of a task are in the order of their `seq`.
    pub data: Vec<FeedEvent>,
    /// Pass as `cursor` to go on, also after an empty page.
    pub cursor: String,
    /// There is more after this page.
    pub has_more: bool,
}

/// How the tasks of an owner stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FeedSnapshot {
    /// The tasks that the filter names, in whatever state, or else those that have not ended; newest first.
    pub tasks: Vec<FeedTask>,
    /// All of them are here; otherwise `GET /v1/tasks` has the rest.
    pub complete: bool,
}

/// A task of a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FeedTask {
    /// Its id.
    pub id: String,
    /// Its agent.
    pub agent: String,
    /// Its state.
    pub status: TaskStatus,
    /// When it was accepted.
    pub created_at: Time,
    /// Turns committed.
    pub turns: u32,
    /// The batch that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
}
