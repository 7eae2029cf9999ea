//! Tools as an agent file names them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AgentToolDefinition, ApprovalSpec, DeferredToolDefinition, McpDefinition, WaitTimeout,
};

/// One tool of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ToolDefinition {
    /// A Rust function that the worker has registered under this name.
    Function {
        /// The registered name.
        name: String,
        /// Whether a call needs a person's yes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalSpec>,
    },
    /// An HTTP endpoint.
    Http(HttpToolDefinition),
    /// Another agent.
    Agent(AgentToolDefinition),
    /// A call that is answered from outside.
    Deferred(DeferredToolDefinition),
    /// The tools of an MCP server.
    Mcp(McpDefinition),
}

impl ToolDefinition {
    /// The name that the model uses; of an MCP server, what the names of its tools begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Function { name, .. } => name,
            Self::Http(tool) => &tool.name,
            Self::Agent(tool) => tool.name(),
            Self::Deferred(tool) => &tool.name,
            Self::Mcp(server) => &server.name,
        }
    }

    /// Whether a call needs a person's yes.
    #[must_use]
    pub const fn approval(&self) -> Option<&ApprovalSpec> {
        match self {
            Self::Function { approval, .. } => approval.as_ref(),
            Self::Http(tool) => tool.approval.as_ref(),
            Self::Agent(tool) => tool.approval.as_ref(),
            Self::Deferred(tool) => tool.approval.as_ref(),
            Self::Mcp(server) => server.approval.as_ref(),
        }
    }

    /// Whether the model may call something of this name.
    #[must_use]
    pub fn offers(&self, name: &str) -> bool {
        match self {
            Self::Mcp(server) => server.offers(name),
            tool => tool.name() == name,
        }
    }
}

/// An HTTP endpoint as a tool.
///
/// `{param}` in the path or query of `url` is replaced by the argument of that name, percent-encoded. The other
/// arguments become the query of GET and DELETE, else a JSON body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpToolDefinition {
    /// The name that the model uses.
    pub name: String,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the arguments.
    #[serde(default = "no_parameters")]
    pub parameters: Value,
    /// The HTTP method.
    #[serde(default)]
    pub method: HttpMethod,
    /// The address.
    pub url: String,
    /// Request headers; `${NAME}` in a value stands for a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Bound of one call in seconds; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// Whether a call of unknown outcome is reported to the model instead of made again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_most_once: bool,
    /// Largest response in bytes; 1 MiB when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_response_bytes: Option<u64>,
    /// Whether the response only says that the call was taken on: the result is posted later, to the URL that the
    /// request carries in `Factorial-Callback-Url`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferred: bool,
    /// How long the result of a deferred call is waited for; a day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_timeout_seconds: Option<WaitTimeout>,
    /// Whether a call needs a person's yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
}

impl HttpToolDefinition {
    /// An endpoint without parameters that is asked with POST.
    #[must_use]
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            parameters: no_parameters(),
            method: HttpMethod::default(),
            url: url.into(),
            headers: BTreeMap::new(),
            timeout_seconds: None,
            at_most_once: false,
            max_response_bytes: None,
            deferred: false,
            answer_timeout_seconds: None,
            approval: None,
        }
    }
}

pub(super) fn no_parameters() -> Value {
    serde_json::json!({"type": "object", "properties": {}})
}

/// Methods that an HTTP tool may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum HttpMethod {
    Get,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}
