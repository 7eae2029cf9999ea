//! Tools whose results are waited for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AgentName, ApprovalSpec, WaitTimeout, is_default, tool::no_parameters};
use crate::Limits;

/// Children of one call when nothing else is said.
const DEFAULT_MAX_CHILDREN: u32 = 100;
/// Tasks above a child when nothing else is said.
const DEFAULT_MAX_DEPTH: u32 = 8;

/// Another agent as a tool: a call becomes one child task, or one for each item of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentToolDefinition {
    /// The name that the model uses; that of the agent when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The agent that runs the children.
    pub agent: AgentName,
    /// What it does, for the model.
    pub description: String,
    /// The property of the arguments that is a list: one child for each of its items, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fan_out: Option<String>,
    /// JSON Schema of the arguments; see [`Self::parameters`] for what stands for it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Whether the result is that of the children, or at once their task ids.
    #[serde(rename = "await", default = "yes", skip_serializing_if = "is_yes")]
    pub awaited: bool,
    /// How long the children are waited for; a day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<WaitTimeout>,
    /// Most children of one call; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_children: Option<u32>,
    /// Most tasks above a child; 8 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u32>,
    /// Limits of each child, beside those of its agent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// Whether a call needs a person's yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_yes(value: &bool) -> bool {
    *value
}

const fn yes() -> bool {
    true
}

impl AgentToolDefinition {
    /// A tool that gives one query to `agent` and waits for its output.
    #[must_use]
    pub fn new(agent: AgentName, description: impl Into<String>) -> Self {
        Self {
            name: None,
            agent,
            description: description.into(),
            fan_out: None,
            parameters: None,
            awaited: true,
            timeout_seconds: None,
            max_children: None,
            max_depth: None,
            limits: Limits::default(),
            approval: None,
        }
    }

    /// The name that the model uses.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.agent.as_str())
    }

    /// Most children of one call.
    #[must_use]
    pub fn max_children(&self) -> u32 {
        self.max_children.unwrap_or(DEFAULT_MAX_CHILDREN)
    }

    /// Most tasks above a child.
    #[must_use]
    pub fn max_depth(&self) -> u32 {
        self.max_depth.unwrap_or(DEFAULT_MAX_DEPTH)
    }

    /// JSON Schema of the arguments: as written, else a `query` or, with a fan-out, a list of queries.
    #[must_use]
    pub fn parameters(&self) -> Value {
        let written = self.parameters.clone();
        written.unwrap_or_else(|| match &self.fan_out {
            None => json!({
                "type": "object", "required": ["query"], "additionalProperties": false,
                "properties": {"query": {"type": "string", "minLength": 1}},
            }),
            Some(list) => json!({
                "type": "object", "required": [list], "additionalProperties": false,
                "properties": {list: {
                    "type": "array", "minItems": 1, "maxItems": self.max_children(),
                    "items": {"type": "string", "minLength": 1},
                }},
            }),
        })
    }
}

/// A tool that is answered from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferredToolDefinition {
    /// The name that the model uses.
    pub name: String,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// JSON Schema of the arguments.
    #[serde(default = "no_parameters")]
    pub parameters: Value,
    /// Who answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asks: Asks,
    /// How long the answer is waited for; a day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<WaitTimeout>,
    /// Whether a call needs a person's yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalSpec>,
}

/// Who answers a deferred call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// Whoever submitted the task.
    Caller,
    /// Somebody or something outside.
    #[default]
    Operator,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parameters_follow_the_fan_out() {
        let mut tool = AgentToolDefinition::new("researcher".parse().unwrap(), "d");
        assert_eq!(tool.name(), "researcher");
        assert_eq!(tool.parameters()["required"], json!(["query"]));
        tool.fan_out = Some("topics".into());
        tool.max_children = Some(3);
        assert_eq!(tool.parameters()["properties"]["topics"]["maxItems"], 3);
    }
}
