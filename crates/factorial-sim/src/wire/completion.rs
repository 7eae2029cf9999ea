//! A reply of the model and its form as one JSON document.
//!
//! Built by the reply policy, written by the handlers. Invariant: a stream carries the same reply in pieces.

use serde::Serialize;

/// `created` of every reply, in Unix seconds. Fixed, because the same request has the same reply.
pub(crate) const CREATED: u64 = 1_700_000_000;

/// What the model says, before it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) id: String,
    pub(crate) model: String,
    pub(crate) text: String,
    pub(crate) refusal: Option<String>,
    pub(crate) calls: Vec<ToolCall>,
    /// `None` only for a reply that was made to lack its end.
    pub(crate) finish: Option<Finish>,
    /// Said in no choice at all.
    pub(crate) no_choice: bool,
    pub(crate) usage: Usage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON text, unless it was made to be none.
    pub(crate) arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finish {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}

/// Tokens, all of them estimates of a quarter of the characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) cached: u64,
    pub(crate) completion: u64,
}

impl Reply {
    /// The text of the message, or `None` where the provider writes null.
    pub(crate) fn content(&self) -> Option<&str> {
        let silent = self.text.is_empty() && (self.refusal.is_some() || !self.calls.is_empty());
        (!silent).then_some(self.text.as_str())
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    usage: UsageBody,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: MessageBody<'a>,
    logprobs: Option<()>,
    finish_reason: Option<Finish>,
}

#[derive(Serialize)]
struct MessageBody<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallBody<'a>>,
}

#[derive(Serialize)]
struct CallBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionBody<'a>,
}

#[derive(Serialize)]
struct FunctionBody<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct UsageBody {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

impl From<Usage> for UsageBody {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt,
            completion_tokens: usage.completion,
            total_tokens: usage.prompt + usage.completion,
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached,
            },
            completion_tokens_details: CompletionDetails {
                reasoning_tokens: 0,
            },
        }
    }
}

/// The reply as the body of an unstreamed response.
pub(crate) fn completion_json(reply: &Reply) -> Vec<u8> {
    let calls = reply
        .calls
        .iter()
        .map(|call| CallBody {
            id: &call.id,
            kind: "function",
            function: FunctionBody {
                name: &call.name,
                arguments: &call.arguments,
            },
        })
        .collect();
    let choice = Choice {
        index: 0,
        message: MessageBody {
            role: "assistant",
            content: reply.content(),
            refusal: reply.refusal.as_deref(),
            tool_calls: calls,
        },
        logprobs: None,
        finish_reason: reply.finish,
    };
    to_json(&Completion {
        id: &reply.id,
        object: "chat.completion",
        created: CREATED,
        model: &reply.model,
        choices: if reply.no_choice {
            Vec::new()
        } else {
            vec![choice]
        },
        usage: reply.usage.into(),
    })
}

/// Writes one of this crate's own types, all of which have string keys: serialization into memory cannot fail then,
/// and the empty default is never seen.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
