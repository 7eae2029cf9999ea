//! The optional knobs of an agent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::RetryPolicy;

/// How the model is asked. What is absent is left to the provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Sampling temperature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Output tokens of one reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How long to think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Seed for repeatable sampling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether one reply may ask for several tools; only for providers with OpenAI's protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// Whether and which tools have to be called. `required` and a named tool hold for the first turn of a task only,
    /// and a list of tools for as many turns, since a model that must call a tool each turn never ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
}

/// How long a reasoning model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReasoningEffort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// Which tools the model may or must call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// At least one tool.
    Required,
    /// The tool of this name.
    Tool(String),
    /// These tools in this order, one a turn; then the model decides.
    Tools(Vec<String>),
}

impl ToolChoice {
    /// What holds in a turn of a task, counted from 1: whatever forces a tool holds for the first turn, or for as many as
    /// it names.
    #[must_use]
    pub fn in_turn(&self, turn: u32) -> Option<Self> {
        match self {
            Self::Auto | Self::None => Some(self.clone()),
            Self::Required | Self::Tool(_) => (turn == 1).then(|| self.clone()),
            Self::Tools(names) => {
                let index = usize::try_from(turn.checked_sub(1)?).ok()?;
                names.get(index).cloned().map(Self::Tool)
            }
        }
    }

    /// The tools that it names.
    pub(crate) fn named(&self) -> &[String] {
        match self {
            Self::Auto | Self::None | Self::Required => &[],
            Self::Tool(name) => std::slice::from_ref(name),
            Self::Tools(names) => names,
        }
    }
}

/// Overrides of the worker's retry policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// Retries after the first attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// Upper bound of the first delay, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_seconds: Option<f64>,
    /// Upper bound of every delay, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_seconds: Option<f64>,
}

impl RetrySettings {
    /// `policy` with these overrides.
    #[must_use]
    pub fn applied_to(&self, policy: RetryPolicy) -> RetryPolicy {
        let seconds = |value: Option<f64>, default| {
            value
                .and_then(|s| Duration::try_from_secs_f64(s).ok())
                .unwrap_or(default)
        };
        RetryPolicy {
            max_retries: self.max_retries.unwrap_or(policy.max_retries),
            base: seconds(self.base_seconds, policy.base),
            cap: seconds(self.cap_seconds, policy.cap),
        }
    }
}

/// Overrides of the worker's settings for this agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Runners of a process; with `batch_size` the tasks in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Tasks in flight of a runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<u32>,
    /// Bound of one model call and of each tool call, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn_timeout_seconds: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::ToolChoice;

    #[test]
    fn what_forces_a_tool_does_not_last() {
        let tool = |name: &str| Some(ToolChoice::Tool(name.to_owned()));
        let sequence = ToolChoice::Tools(vec!["a".to_owned(), "b".to_owned()]);
        for (choice, first, second, third) in [
            (
                ToolChoice::Auto,
                Some(ToolChoice::Auto),
                Some(ToolChoice::Auto),
                Some(ToolChoice::Auto),
            ),
            (
                ToolChoice::None,
                Some(ToolChoice::None),
                Some(ToolChoice::None),
                Some(ToolChoice::None),
            ),
            (ToolChoice::Required, Some(ToolChoice::Required), None, None),
            (ToolChoice::Tool("a".to_owned()), tool("a"), None, None),
            (sequence, tool("a"), tool("b"), None),
        ] {
            assert_eq!(choice.in_turn(1), first);
            assert_eq!(choice.in_turn(2), second);
            assert_eq!(choice.in_turn(3), third);
        }
    }
}
