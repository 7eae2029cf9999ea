//! What a model may call.
//!
//! Tools are built with an agent and run by the turn loop, each in a task of its own.
//! Invariant: whatever a tool does, the model gets a bounded text, and the run goes on.

mod calculator;
mod current_time;
mod entry;
mod error;
mod expression;
mod function;
mod http;
mod outcome;
mod set;
mod template;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

pub(crate) use self::{
    entry::{Action, Entry},
    http::NO_CALLBACK_URL,
    outcome::{MAX_RESULT_BYTES, Outcome, cut, run},
    template::UrlTemplate,
};
pub use self::{
    error::{ToolError, ToolErrorKind},
    function::FunctionRegistry,
    http::HttpTool,
    set::ToolSet,
};

/// Largest response of a server when the agent file names no other.
pub(crate) const DEFAULT_MAX_RESPONSE_BYTES: u64 = 1 << 20;
/// Time that a tool gets when nothing else is said.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What the model and the turn loop need to know about a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// `[A-Za-z0-9_-]{1,64}`, unique in an agent.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of the arguments, an object.
    pub parameters: Value,
    /// Whether a call of unknown outcome is reported to the model instead of made again.
    pub at_most_once: bool,
    /// Bound of one call.
    pub timeout: Duration,
}

impl ToolSpec {
    /// A tool that may be called again after a crash and gets 30 s.
    #[must_use]
    pub fn new(name: impl Into<String>, description: impl Into<String>, parameters: Value) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            parameters,
            at_most_once: false,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// The same with another time bound.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, but never called twice for one call of the model.
    #[must_use]
    pub fn at_most_once(mut self) -> Self {
        self.at_most_once = true;
        self
    }
}

/// Where a call comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolContext {
    /// The task.
    pub task_id: String,
    /// The call, unique in the task.
    pub call_id: String,
    /// `task id/call id`: the same for every attempt at this call.
    pub idempotency_key: String,
    /// The agent.
    pub agent: String,
    /// The task's owner.
    pub owner: String,
    /// The turn that asked for it, counted from 1.
    pub turn: u32,
    /// The submission's free context.
    pub context: Value,
    /// Where the result is to be posted; only for deferred calls. A secret.
    pub callback_url: Option<String>,
    /// The trace that the task belongs to: a W3C `traceparent`.
    pub trace: Option<String>,
}

/// What a tool gives the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolOutput {
    /// Text, or JSON as text.
    pub content: String,
}

impl From<String> for ToolOutput {
    fn from(content: String) -> Self {
        Self { content }
    }
}

impl From<&str> for ToolOutput {
    fn from(content: &str) -> Self {
        Self {
            content: content.to_owned(),
        }
    }
}

impl From<Value> for ToolOutput {
    fn from(value: Value) -> Self {
        match value {
            Value::String(content) => Self { content },
            other => Self {
                content: other.to_string(),
            },
        }
    }
}

/// Something that a model may call.
#[async_trait]
pub trait Tool: Send + Sync {
    /// What it is.
    fn spec(&self) -> &ToolSpec;

    /// Does it. `args` have passed the schema. Dropping the future must stop the work.
    async fn call(&self, ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError>;
}
