//! MCP servers as an agent file names them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ApprovalSpec;

/// The tools of a server that speaks the Model Context Protocol.
///
/// Exactly one of `url` (streamable HTTP) and `command` (a process of the worker, over its standard input and output).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpDefinition {
    /// What the names of its tools begin with: the model calls `<name>__<tool>`.
    pub name: String,
    /// The address of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Program and arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Request headers; `${NAME}` in a value stands for a secret. Only with `url`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Variables of the process; `${NAME}` in a value stands for a secret. Only with `command`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The tools that are offered, as the server names them; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include: Option<Vec<String>>,
    /// Bound of one call in seconds; 30 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    /// Whether a call of unknown outcome is reported to the model instead of made again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_most_once: bool,
    /// Largest result in bytes; 1 MiB when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_response_bytes: Option<u64>,
    /// Whether a call needs a person's yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
}

impl McpDefinition {
    /// Whether a name that the model uses is one of this server's tools.
    #[must_use]
    pub fn offers(&self, tool: &str) -> bool {
        tool.strip_prefix(&*self.name)
            .is_some_and(|rest| rest.starts_with("__"))
    }
}
