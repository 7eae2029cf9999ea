//! The body of `POST /v1/chat/completions`.
//!
//! Parsed by the handler. Invariant: unknown fields are ignored, as clients send many, and nothing is copied out of
//! the body that the reply does not need.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::Text;

#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest<'a> {
    #[serde(borrow)]
    pub(crate) model: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) messages: Vec<Message<'a>>,
    #[serde(borrow, default)]
    pub(crate) tools: Option<Vec<Tool<'a>>>,
    #[serde(default)]
    pub(crate) tool_choice: Option<ToolChoice>,
    #[serde(default)]
    pub(crate) parallel_tool_calls: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) response_format: Option<ResponseFormat<'a>>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    pub(crate) stream_options: Option<StreamOptions>,
    #[serde(default)]
    pub(crate) max_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) max_completion_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) n: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: Role,
    #[serde(borrow, default)]
    pub(crate) content: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) tool_calls: Option<Vec<PastCall<'a>>>,
    #[serde(borrow, default)]
    pub(crate) tool_call_id: Option<Text<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// A tool call of an earlier turn.
#[derive(Debug, Deserialize)]
pub(crate) struct PastCall<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) function: PastFunction<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PastFunction<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) arguments: Text<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tool<'a> {
    #[serde(borrow)]
    pub(crate) function: Function<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Function<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    /// JSON Schema of the arguments; absent for a tool without any.
    #[serde(borrow, default)]
    pub(crate) parameters: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ToolChoice {
    Mode(ToolMode),
    Named { function: ChosenFunction },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ToolMode {
    None,
    Auto,
    Required,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ChosenFunction {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: FormatKind,
    #[serde(borrow, default)]
    pub(crate) json_schema: Option<NamedSchema<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatKind {
    Text,
    JsonObject,
    JsonSchema,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NamedSchema<'a> {
    #[serde(borrow, default)]
    pub(crate) schema: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: Option<bool>,
}

impl<'a> ChatRequest<'a> {
    pub(crate) fn offered(&self) -> &[Tool<'a>] {
        self.tools.as_deref().unwrap_or_default()
    }

    pub(crate) fn streams(&self) -> bool {
        self.stream.unwrap_or(false)
    }

    pub(crate) fn wants_usage(&self) -> bool {
        self.stream_options
            .as_ref()
            .and_then(|options| options.include_usage)
            .unwrap_or(false)
    }

    /// The client's limit for the answer, in tokens.
    pub(crate) fn token_limit(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// Text of the last user message; empty when there is none.
    pub(crate) fn last_user_text(&self) -> &str {
        self.messages
            .iter()
            .rev()
            .find(|message| message.role == Role::User)
            .map_or("", |message| message.content.as_str())
    }
}

impl<'a> Message<'a> {
    pub(crate) fn calls(&self) -> &[PastCall<'a>] {
        self.tool_calls.as_deref().unwrap_or_default()
    }
}
