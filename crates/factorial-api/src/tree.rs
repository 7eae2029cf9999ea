//! A task with its descendants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{TaskStatus, Time, Usage};

/// Descendants of a task that have ended, together; also those that have expired since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Descendants {
    /// How many they are.
    pub ended: u64,
    /// Their tokens.
    pub usage: Usage,
    /// Their cost in millionths of a US dollar, of the models that have a price.
    pub cost_usd_micros: u64,
}

impl Descendants {
    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A task in a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TreeNode {
    /// Its id.
    pub id: String,
    /// Its agent.
    pub agent: String,
    /// Its state.
    pub status: TaskStatus,
    /// Tasks above it, up to the root of all.
    pub depth: u32,
    /// The call of its parent that it answers, if its parent waits or has waited for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Turns committed.
    pub turns: u32,
    /// When it was accepted.
    pub created_at: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Its own tokens.
    pub usage: Usage,
    /// Its own cost in millionths of a US dollar, of the models that have a price.
    pub cost_usd_micros: u64,
    /// Why it failed; the kind alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_kind: Option<String>,
    /// In the order in which they were spawned; those that have expired are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(no_recursion))]
    pub children: Vec<TreeNode>,
}

/// What the tasks shown come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct TreeTotals {
    /// How many they are.
    pub tasks: u64,
    /// How many are in each state; states that none is in are left out.
    pub by_status: BTreeMap<String, u64>,
    /// Their tokens.
    pub usage: Usage,
    /// Their cost in millionths of a US dollar, of the models that have a price.
    pub cost_usd_micros: u64,
}

/// A task with its descendants, as far as they are shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "root": {
            "id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "agent": "planner", "status": "pending_child_tasks", "depth": 0,
            "turns": 1, "created_at": "2026-01-31T09:30:00.125Z",
            "usage": {"input_tokens": 120, "cached_input_tokens": 0, "output_tokens": 40, "reasoning_tokens": 0},
            "cost_usd_micros": 0,
        },
        "totals": {
            "tasks": 1, "by_status": {"pending_child_tasks": 1},
            "usage": {"input_tokens": 120, "cached_input_tokens": 0, "output_tokens": 40, "reasoning_tokens": 0},
            "cost_usd_micros": 0,
        },
        "truncated": false,
    }))
)]
pub struct TaskTree {
    /// The task that was asked for.
    pub root: TreeNode,
    /// What the tasks shown come to.
    pub totals: TreeTotals,
    /// Its descendants that have ended, counted as they did: also those that are not shown.
    #[serde(default, skip_serializing_if = "Descendants::is_empty")]
    pub descendants: Descendants,
    /// There are more than `limit`: not all are shown.
    pub truncated: bool,
}
