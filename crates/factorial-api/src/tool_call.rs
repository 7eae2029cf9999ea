//! Calls that are answered from outside: what is asked, and the answers.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::{TaskStatus, Time};

/// Whom a call asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Whoever submitted the task, for the result.
    Caller,
    /// An operator or a program of theirs, for the result.
    Operator,
    /// A person, for a yes or a no.
    Approval,
}

/// Whether somebody has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolCallStatus {
    /// Not yet.
    Open,
    /// Yes, or nobody is asked any more.
    Answered,
}

impl ToolCallStatus {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
        }
    }
}

/// How a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ToolCallOutcome {
    /// With a result.
    Result,
    /// With an error.
    Error,
    /// It may be made.
    Approved,
    /// It may not be made.
    Denied,
    /// Not in time.
    Timeout,
    /// Not: somebody interrupted the task while it waited.
    Interrupted,
    /// Not: the task ended while it waited.
    Closed,
}

impl ToolCallOutcome {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Error => "error",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
        }
    }
}

/// A call that is answered from outside. One that needs an approval and then a result is listed twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "call_id": "call_1", "tool": "publish", "arguments": {"title": "Rain in Lisbon"}, "asks": "approval",
        "status": "open", "asked_at": "2026-01-31T09:30:00.125Z", "agent_version": "5f3c",
    }))
)]
pub struct AwaitedCall {
    /// Its id, unique in its task.
    pub call_id: String,
    /// The tool.
    pub tool: String,
    /// JSON as the model wrote it; a string when that was not JSON.
    pub arguments: Value,
    /// Who is asked.
    pub asks: Asks,
    /// Whether somebody has answered.
    pub status: ToolCallStatus,
    /// How it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ToolCallOutcome>,
    /// Since when it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Time>,
    /// When an open one is given up; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Time>,
    /// Version of the agent that asks; of approvals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({"result": {"temperature": 21.5}, "by": "station-4"}))
)]
#[serde(deny_unknown_fields)]
pub struct ToolCallResult {
    /// Any JSON, also `null`; at most 256 KiB.
    pub result: Value,
    /// Who answers, for the record; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only if the task is this owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// A call has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ToolCallError {
    /// For the model: 1 to 16384 characters.
    pub message: String,
    /// Who answers, for the record; at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Only if the task is this owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// How far an open call has come. Says at least one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ToolCallProgress {
    /// For people: 1 to 4096 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// For programs; at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Map<String, Value>>,
    /// Only if the task is this owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct AnswerResponse {
    /// The task.
    pub task_id: String,
    /// The call.
    pub call_id: String,
    /// How it is answered.
    pub outcome: ToolCallOutcome,
    /// The same answer had been given before.
    pub replayed: bool,
    /// State of the task now.
    pub task_status: TaskStatus,
}

/// A tool that the caller answers, declared with a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "name": "open_door", "description": "Opens the door of the caller's house.",
        "parameters": {"type": "object", "properties": {"which": {"type": "string"}}, "required": ["which"]},
        "timeout_seconds": 600.0,
    }))
)]
#[serde(deny_unknown_fields)]
pub struct CallerTool {
    /// 1 to 64 letters, digits, `_` and `-`; none of the agent's own tools.
    pub name: String,
    /// For the model; at most 4096 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub parameters: Value,
    /// How long a call waits for its result, at most 365 days; a day if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
}

/// The answer to a callback URL: either the result of the call, or that it has failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({"result": {"paid": true}})))]
#[serde(deny_unknown_fields)]
pub struct CallbackRequest {
    /// Any JSON, also `null`; at most 256 KiB. Excludes `error`.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub result: Option<Value>,
    /// How the call has failed. Excludes `result`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<CallbackError>,
}

/// How a call has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallbackError {
    /// For the model: 1 to 16384 characters.
    pub message: String,
}

/// A result of `null` is a result.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
