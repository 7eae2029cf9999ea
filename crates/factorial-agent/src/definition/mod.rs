//! What an agent is: the content of an agent file, or a Rust value for those who build their own worker.
//!
//! Read by the loader, announced by workers, run by [`crate::LlmAgent`].
//! Invariant: the serde form is the file format; unknown keys are refused everywhere, and absent ones are not written,
//! so that a new key leaves the version of older agents as it is.

mod awaited;
mod mcp;
mod model;
mod name;
mod settings;
mod tool;
mod waiting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::{
    awaited::{AgentToolDefinition, Asks, DeferredToolDefinition},
    mcp::McpDefinition,
    model::{ModelSpec, ModelTarget, Price, Provider},
    name::{AgentName, AgentNameError},
    settings::{ReasoningEffort, RetrySettings, Settings, ToolChoice, WorkerSettings},
    tool::{HttpMethod, HttpToolDefinition, ToolDefinition},
    waiting::{ApprovalSpec, WaitTimeout},
};
use crate::Limits;

/// One agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDefinition {
    /// Unique among the agents of a namespace.
    pub name: AgentName,
    /// One sentence for people and for lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The system prompt.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    /// The model with its fallbacks.
    pub model: ModelSpec,
    /// Sampling and the like.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settings: Settings,
    /// What the model may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolDefinition>,
    /// Hard stops of each run.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Prices by model name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
    /// JSON Schema of the context that submissions bring for the tools, an object; anything goes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_schema: Option<Value>,
    /// What the run gives its owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub output: OutputSpec,
    /// Overrides of the worker's retry policy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: RetrySettings,
    /// Overrides of the worker's settings.
    #[serde(default, skip_serializing_if = "is_default")]
    pub worker: WorkerSettings,
}

/// The form of the final reply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OutputSpec {
    /// Free text.
    #[default]
    Text,
    /// A JSON value that matches a schema.
    Json {
        /// JSON Schema.
        schema: Value,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl AgentDefinition {
    /// An agent with defaults for everything but its name and model.
    #[must_use]
    pub fn new(name: AgentName, model: ModelSpec) -> Self {
        Self {
            name,
            description: String::new(),
            instructions: String::new(),
            model,
            settings: Settings::default(),
            tools: Vec::new(),
            limits: Limits::default(),
            prices: BTreeMap::new(),
            context_schema: None,
            output: OutputSpec::Text,
            retry: RetrySettings::default(),
            worker: WorkerSettings::default(),
        }
    }

    /// Twelve hex digits that change with the content: the start of the SHA-256 of the JSON form.
    #[must_use]
    pub fn version(&self) -> String {
        // Every key of the definition is a string and every float is finite, so this cannot fail; were it to, the
        // version would only be less telling.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(&Sha256::digest(bytes)[..6])
    }
}
