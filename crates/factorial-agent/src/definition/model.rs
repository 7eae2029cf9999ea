//! Which model an agent uses and what it costs.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::Usage;

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI, chat completions.
    Openai,
    /// xAI.
    Xai,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
    /// Fireworks AI.
    Fireworks,
    /// A local Ollama server, by its own protocol.
    Ollama,
    /// Any server with OpenAI's chat completions; needs a `base_url`.
    OpenaiCompatible,
}

impl Provider {
    /// The name in agent files and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Xai => "xai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Fireworks => "fireworks",
            Self::Ollama => "ollama",
            Self::OpenaiCompatible => "openai_compatible",
        }
    }

    /// The provider's own address, and the usual variable of its key. Their presence says that one is needed.
    #[must_use]
    pub const fn defaults(self) -> (Option<&'static str>, Option<&'static str>) {
        match self {
            Self::Openai => (Some("https://api.openai.com/v1/"), Some("OPENAI_API_KEY")),
            Self::Xai => (Some("https://api.x.ai/v1/"), Some("XAI_API_KEY")),
            Self::Anthropic => (
                Some("https://api.anthropic.com/v1/"),
                Some("ANTHROPIC_API_KEY"),
            ),
            Self::Gemini => (
                Some("https://generativelanguage.googleapis.com/v1beta/"),
                Some("GEMINI_API_KEY"),
            ),
            Self::Fireworks => (
                Some("https://api.fireworks.ai/inference/v1/"),
                Some("FIREWORKS_API_KEY"),
            ),
            Self::Ollama => (Some("http://localhost:11434/"), None),
            Self::OpenaiCompatible => (None, None),
        }
    }

    /// Whether it is spoken to by OpenAI's chat completions protocol.
    #[must_use]
    pub const fn speaks_openai(self) -> bool {
        matches!(
            self,
            Self::Openai | Self::Xai | Self::Fireworks | Self::OpenaiCompatible
        )
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One model at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelTarget {
    /// Who serves it.
    pub provider: Provider,
    /// The model's name, sent as it is.
    pub name: String,
    /// Used instead of the provider's or the process's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The environment variable that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// More request headers; `${NAME}` in a value stands for a secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

impl ModelTarget {
    /// A model at its provider's default place.
    #[must_use]
    pub fn new(provider: Provider, name: impl Into<String>) -> Self {
        Self {
            provider,
            name: name.into(),
            base_url: None,
            api_key_env: None,
            headers: BTreeMap::new(),
        }
    }
}

/// A model and what to try when it fails.
///
/// The first target's keys are repeated here because a flattened struct could not refuse unknown keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// See [`ModelTarget::provider`].
    pub provider: Provider,
    /// See [`ModelTarget::name`].
    pub name: String,
    /// See [`ModelTarget::base_url`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// See [`ModelTarget::api_key_env`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// See [`ModelTarget::headers`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Tried in order when the one before fails in a way that another place may not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<ModelTarget>,
}

impl ModelSpec {
    /// A model at its provider's default place, without fallbacks.
    #[must_use]
    pub fn new(provider: Provider, name: impl Into<String>) -> Self {
        Self {
            provider,
            name: name.into(),
            base_url: None,
            api_key_env: None,
            headers: BTreeMap::new(),
            fallbacks: Vec::new(),
        }
    }

    /// The first choice and then the fallbacks.
    #[must_use]
    pub fn targets(&self) -> Vec<ModelTarget> {
        let first = ModelTarget {
            provider: self.provider,
            name: self.name.clone(),
            base_url: self.base_url.clone(),
            api_key_env: self.api_key_env.clone(),
            headers: self.headers.clone(),
        };
        std::iter::once(first)
            .chain(self.fallbacks.iter().cloned())
            .collect()
    }
}

/// US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of input that was not cached.
    pub input: f64,
    /// Of cached input; as `input` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Of output, reasoning included.
    pub output: f64,
}

impl Price {
    /// The cost of `usage` in millionths of a US dollar: dollars for a million tokens are micro-dollars for one.
    #[must_use]
    pub fn cost_usd_micros(&self, usage: &Usage) -> u64 {
        let cached = usage.cached_input.min(usage.input);
        let fresh = usage.input - cached;
        let micros = fresh as f64 * self.input
            + cached as f64 * self.cached_input.unwrap_or(self.input)
            + usage.output as f64 * self.output;
        micros.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_counts_cached_tokens_once() {
        let price = Price {
            input: 2.0,
            cached_input: Some(0.5),
            output: 8.0,
        };
        let usage = Usage {
            input: 1_000_000,
            cached_input: 400_000,
            output: 10_000,
            reasoning: 5_000,
        };
        assert_eq!(price.cost_usd_micros(&usage), 1_200_000 + 200_000 + 80_000);
        assert_eq!(
            Price {
                cached_input: None,
                ..price
            }
            .cost_usd_micros(&usage),
            2_080_000
        );
    }
}
