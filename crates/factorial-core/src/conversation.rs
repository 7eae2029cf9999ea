//! Entries of a conversation, as they are stored: one JSON text each, in an append-only list.
//!
//! The serde form is a promise: entries of an older version must stay readable.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::StoreError;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions.
    System,
    /// The person or program that asks.
    User,
    /// An earlier reply.
    Assistant,
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputMessage {
    /// Who says it.
    pub role: Role,
    /// Plain text.
    pub content: String,
}

/// A tool call in a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique in its task.
    pub id: String,
    /// The tool.
    pub name: String,
    /// JSON text as the model wrote it.
    pub arguments: String,
    /// Opaque proofs of reasoning that some providers want back with the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Entry {
    /// What was submitted; the first entry, and again wherever a later task goes on.
    Input {
        /// What was said before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        messages: Vec<InputMessage>,
        /// What is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        query: Option<String>,
        /// Free JSON for tools.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<Value>,
    },
    /// A reply of the model.
    Reply {
        /// Turn, from 1.
        turn: u32,
        /// Plain text.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        content: String,
        /// Calls in the model's order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
        /// What the model thought aloud, for models that want it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reasoning: Option<String>,
    },
    /// What the model is told about a reply of its own that was not usable.
    Repair {
        /// Turn, from 1.
        turn: u32,
        /// Plain text.
        content: String,
    },
    /// The result of a tool call.
    Tool {
        /// Turn, from 1.
        turn: u32,
        /// Which call.
        call_id: String,
        /// Which tool.
        name: String,
        /// What the model is told.
        content: String,
        /// It failed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
    /// A message that came by steering.
    Steer {
        /// Who says it.
        role: Role,
        /// Plain text.
        content: String,
    },
    /// The output of a completed task; the last entry.
    Output {
        /// Absent when it is the text of the last reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
    },
}

/// Fields of a task's hash that hold a short input, in order.
pub(crate) const PARTS: [&str; 8] = ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"];
/// A hash with a longer value takes several times the memory, by the default of `hash-max-listpack-value`.
const PART_BYTES: usize = 64;
/// Seven parts and what is lost at the ends of parts of multi-byte characters.
const MOST_INLINE_BYTES: usize = 480;

impl Entry {
    pub(crate) fn encode(&self) -> Result<String, StoreError> {
        serde_json::to_string(self)
            .map_err(|e| StoreError::corrupt("conversation entry", e.to_string()))
    }

    pub(crate) fn decode(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text)
            .map_err(|e| StoreError::corrupt("conversation entry", e.to_string()))
    }

    /// A short entry in parts that a hash keeps in its compact form, none of them longer than [`PART_BYTES`].
    pub(crate) fn parts(text: &str) -> Option<Vec<&str>> {
        if text.len() > MOST_INLINE_BYTES {
            return None;
        }
        let mut rest = text;
        let mut parts = Vec::with_capacity(PARTS.len());
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES));
            parts.push(part);
            rest = after;
        }
        (parts.len() <= PARTS.len()).then_some(parts)
    }

    pub(crate) fn decode_all(texts: &[String]) -> Result<Vec<Self>, StoreError> {
        texts.iter().map(|t| Self::decode(t)).collect()
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_stored_entry() {
        let output = Entry::Output {
            value: Some(serde_json::json!({"a": [1, "é"]})),
        };
        let output = output.encode().unwrap_or_default();
        factorial_fuzz::texts(&[&output, r#"{"output":{}}"#], |text| {
            if let Ok(entry) = Entry::decode(text)
                && let Ok(again) = entry.encode()
            {
                assert!(Entry::decode(&again).is_ok());
            }
            if let Some(parts) = Entry::parts(text) {
                assert_eq!(parts.concat(), text);
            }
        });
    }
}
