//! The conversation of a task.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InputRole {
    /// Instructions on top of the agent's own.
    System,
    /// The person, or the program, that asks.
    User,
    /// An earlier reply.
    Assistant,
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InputMessage {
    /// Who says it.
    pub role: InputRole,
    /// Plain text.
    pub content: String,
}

/// A tool call that a model asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ToolCall {
    /// Unique in its task.
    pub id: String,
    /// The tool.
    pub name: String,
    /// JSON text, as the model wrote it.
    pub arguments: String,
}

/// One entry of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum MessageBody {
    /// Instructions: from the client, or in a turn what is wrong with the reply before.
    System {
        /// Plain text.
        content: String,
    },
    /// From the client, at submission or by steering.
    User {
        /// Plain text.
        content: String,
        /// It came by steering.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        steered: bool,
    },
    /// From the model.
    Assistant {
        /// Plain text; may be empty when tools are called.
        content: String,
        /// Calls in the model's order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
    },
    /// Result of a tool call.
    Tool {
        /// Which call.
        call_id: String,
        /// Which tool.
        name: String,
        /// What the model is told.
        content: String,
        /// The call failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

/// One entry of a conversation, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Message {
    /// Place in the conversation, from 0.
    pub index: u64,
    /// The turn that it belongs to; 0 before the first.
    pub turn: u32,
    /// What was said.
    #[serde(flatten)]
    pub body: MessageBody,
}

/// A page of a conversation, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct MessagePage {
    /// Oldest first.
    pub data: Vec<Message>,
    /// Pass as `cursor` to get the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
