//! Approvals, and what waits for an operator.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{Page, Time};

/// A yes to a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({"arguments": {"title": "Rain in Lisbon today"}, "by": "ana"}))
)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// Instead of the model's; at most 256 KiB. They are judged by the tool's schema as those were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Map<String, Value>>,
    /// Who says so, for the record; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only if the task is this owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// A no to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DenyRequest {
    /// For the model; at most 4096 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who says so, for the record; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only if the task is this owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// An open call that waits for an operator: for an approval, or for its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "task_id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "call_id": "call_1", "agent": "planner", "agent_version": "5f3c",
        "owner_id": "user-7", "tool": "publish", "arguments": {"title": "Rain in Lisbon"},
        "asked_at": "2026-01-31T09:30:00.125Z",
    }))
)]
pub struct AskedCall {
    /// The task that waits.
    pub task_id: String,
    /// The call, unique in its task.
    pub call_id: String,
    /// Its agent.
    pub agent: String,
    /// Version of the agent that asks; of approvals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Its owner.
    pub owner_id: String,
    /// The tool.
    pub tool: String,
    /// JSON as the model wrote it; a string when that was not JSON.
    pub arguments: Value,
    /// Since when it waits.
    pub asked_at: Time,
    /// When it is given up; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// A page of calls that wait, oldest first.
pub type AskedCallPage = Page<AskedCall>;
