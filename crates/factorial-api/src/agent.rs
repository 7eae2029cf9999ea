//! Agents as clients see them.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::Time;

/// An agent that workers have announced. It stays known while its workers are away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Agent {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<String>,
    /// Hash of its definition.
    pub version: String,
    /// `provider/model`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// Names of its tools.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Nothing new of it is run until it is resumed; its tasks are accepted and wait.
    #[serde(default)]
    pub paused: bool,
    /// Workers that serve it now.
    pub workers: u32,
    /// Tasks of it that wait in a queue; 0 for a key that is bound to owners.
    pub queued: u64,
    /// Tasks of it that run; 0 for a key that is bound to owners.
    pub processing: u64,
    /// When a worker announced it last, which each does once a minute.
    pub last_seen_at: Time,
    /// Of a single agent: its definition as far as it may be shown, without addresses, headers and keys. `context_schema` in
    /// it is the JSON Schema that the context of its submissions is judged by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub definition: Option<serde_json::Value>,
}
