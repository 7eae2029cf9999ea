//! Steering and cancelling.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::InputMessage;

/// When a steering message takes effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SteerMode {
    /// At the next boundary between turns. A parked task stays parked until what it awaits is answered.
    #[default]
    NextTurn,
    /// At once: the open model call is aborted and the run goes on with the message. A parked task is woken: what it
    /// awaits is answered with `interrupted`, and children that it waited for are cancelled.
    Interrupt,
}

/// Messages for a running task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "messages": [{"role": "user", "content": "Only the morning, please."}], "mode": "next_turn",
    }))
)]
#[serde(deny_unknown_fields)]
pub struct SteerRequest {
    /// Applied in this order; one call is all or nothing. At least one.
    pub messages: Vec<InputMessage>,
    /// When they take effect.
    #[serde(default)]
    pub mode: SteerMode,
    /// A client's own id of this call: the same id twice is applied once. At most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// What became of a steering call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SteerResponse {
    /// The task.
    pub task_id: String,
    /// Messages accepted by this call: 0 when this `client_id` was seen before.
    pub accepted: u32,
    /// Messages that wait to be applied now.
    pub pending: u32,
}

/// Why a task is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// For the record; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
