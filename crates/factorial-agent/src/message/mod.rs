//! The conversation.
//!
//! Stored by the worker, shown by the gateway, and turned into a provider's form by the models.
//! Invariant: the serde form is a promise; a field may be added, none may change its meaning.

mod parse;

use serde::{Deserialize, Serialize};

pub use self::parse::{MessageError, parse_messages};

/// One entry of a conversation, told apart by `role` on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// Instructions beside those of the agent.
    System {
        /// The text.
        content: String,
    },
    /// What the owner, or somebody who steers, says.
    User {
        /// The text.
        content: String,
    },
    /// What the model said.
    Assistant {
        /// The text; empty when there are only tool calls.
        #[serde(default)]
        content: String,
        /// The tools that it asks for, in its order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
        /// The reasoning that the provider showed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reasoning: Option<String>,
    },
    /// The result of one tool call.
    Tool {
        /// The id of the call.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The result, or the error in words.
        content: String,
        /// Whether `content` tells of an error.
        #[serde(default, skip_serializing_if = "is_false")]
        is_error: bool,
    },
}

/// A tool call of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique in the task.
    pub id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// The arguments as JSON text, as the model wrote them; may be invalid.
    pub arguments: String,
    /// Opaque proofs of reasoning that some providers want back with the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Message {
    /// A system message.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self::System {
            content: content.into(),
        }
    }

    /// A user message.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self::User {
            content: content.into(),
        }
    }

    /// An assistant message without tool calls.
    #[must_use]
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::Assistant {
            content: content.into(),
            tool_calls: Vec::new(),
            reasoning: None,
        }
    }

    /// The tool calls of an assistant message, else none.
    #[must_use]
    pub fn tool_calls(&self) -> &[ToolCall] {
        match self {
            Self::Assistant { tool_calls, .. } => tool_calls,
            Self::System { .. } | Self::User { .. } | Self::Tool { .. } => &[],
        }
    }

    /// The text.
    #[must_use]
    pub fn content(&self) -> &str {
        match self {
            Self::System { content }
            | Self::User { content }
            | Self::Assistant { content, .. }
            | Self::Tool { content, .. } => content,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wire_form_is_plain() {
        let message = Message::Assistant {
            content: String::new(),
            tool_calls: vec![ToolCall {
                id: "a".into(),
                name: "add".into(),
                arguments: "{}".into(),
                signatures: vec![],
            }],
            reasoning: None,
        };
        let expected = json!({"role": "assistant", "content": "", "tool_calls": [{"id": "a", "name": "add", "arguments": "{}"}]});
        assert_eq!(serde_json::to_value(&message).unwrap(), expected);
        let tool = Message::Tool {
            call_id: "a".into(),
            name: "add".into(),
            content: "3".into(),
            is_error: false,
        };
        assert_eq!(
            serde_json::to_value(&tool).unwrap(),
            json!({"role": "tool", "call_id": "a", "name": "add", "content": "3"})
        );
        for message in [message, tool, Message::user("hi")] {
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
        }
    }
}
