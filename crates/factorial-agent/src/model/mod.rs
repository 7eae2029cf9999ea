//! Calling language models.
//!
//! Called by the turn loop, one call a turn. Invariant: an `Ok` reply is whole: the provider said why it stopped.
//! Dropping the future of a call closes its connection at once.

mod chain;
mod client;
mod convert;
mod error;
mod frames;
mod remote;
mod requests;
mod retry_after;
mod stream;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::{
    chain::ModelChain,
    client::{ClientError, HttpClients},
    error::ModelError,
    requests::describe_metrics,
};
pub(crate) use self::{error::causes, remote::RemoteModel};
use crate::{Message, OutputSchema, Settings, ToolCall, ToolChoice, ToolSpec, Usage};

/// One question to a model.
#[derive(Debug, Clone, Copy)]
pub struct ModelRequest<'a> {
    /// Sent along as `x-factorial-task`.
    pub task_id: &'a str,
    /// The system prompt; empty for none.
    pub instructions: &'a str,
    /// The conversation; each tool call has its result right after it, in call order.
    pub messages: &'a [Message],
    /// What the model may call.
    pub tools: &'a [ToolSpec],
    /// Sampling and the like.
    pub settings: &'a Settings,
    /// The choice that holds for this turn.
    pub tool_choice: Option<&'a ToolChoice>,
    /// The schema of the final reply, for JSON output.
    pub output: Option<&'a OutputSchema>,
    /// When the caller will give up; nothing enforces it here.
    pub timeout: Duration,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// It ran into its output token limit.
    Length,
    /// It asks for tools.
    ToolCalls,
    /// A content filter or the model itself refused.
    Refusal,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelReply {
    /// The text; for a refusal, its words if the provider gave some.
    pub text: String,
    /// The tools that it asks for, ids as the provider gave them.
    pub tool_calls: Vec<ToolCall>,
    /// The reasoning that the provider showed.
    pub reasoning: Option<String>,
    /// Why it stopped.
    pub finish_reason: FinishReason,
    /// Tokens; zero when the provider did not say.
    pub usage: Usage,
    /// The model as the agent names it.
    pub model: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's id of the reply.
    pub provider_response_id: Option<String>,
    /// From the request to the first text, reasoning or tool call.
    pub time_to_first_token: Duration,
    /// From the request to the end of the reply.
    pub duration: Duration,
}

/// Takes the text of a reply as it arrives. An empty text is a sign of life: the model reasons or writes a tool call.
pub type Deltas<'a> = dyn FnMut(&str) + Send + 'a;

/// A language model, or several behind one another.
#[async_trait]
pub trait Model: Send + Sync {
    /// Asks for one reply. Text is given to `deltas` as it arrives.
    async fn call(
        &self,
        request: &ModelRequest<'_>,
        deltas: &mut Deltas<'_>,
    ) -> Result<ModelReply, ModelError>;
}
