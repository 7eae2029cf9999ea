//! The result of a run, and what a JSON output has to look like.
//!
//! Used by the turn loop to judge final replies. Invariant: an [`Output::Json`] has passed its schema.

use jsonschema::Validator;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::OutputSpec;

/// What a completed task gives its owner, told apart by `kind` on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Output {
    /// Free text.
    Text {
        /// The text of the last reply.
        text: String,
        /// Whether the model ran into its output token limit.
        #[serde(default)]
        truncated: bool,
    },
    /// A JSON value that is valid under the agent's schema.
    Json {
        /// The value.
        value: Value,
    },
}

impl Output {
    /// A whole text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            truncated: false,
        }
    }
}

/// A JSON schema that replies are checked against.
#[derive(Debug)]
pub struct OutputSchema {
    schema: Value,
    validator: Validator,
}

/// Problems of one reply that are told to the model.
const MAX_PROBLEMS: usize = 8;
/// Bytes of one problem.
const MAX_PROBLEM_BYTES: usize = 300;

impl OutputSchema {
    /// Compiles the schema of an output spec; `None` for text.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub fn of(spec: &OutputSpec) -> Result<Option<Self>, String> {
        match spec {
            OutputSpec::Text => Ok(None),
            OutputSpec::Json { schema } => {
                let validator = compile(schema)?;
                Ok(Some(Self {
                    schema: schema.clone(),
                    validator,
                }))
            }
        }
    }

    /// The schema as written.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// The problems in words, for the model.
    pub fn read(&self, text: &str) -> Result<Value, Vec<String>> {
        let value: Value = serde_json::from_str(unfenced(text))
            .map_err(|error| vec![format!("the reply is not valid JSON: {error}")])?;
        let problems = problems(&self.validator, &value);
        if problems.is_empty() {
            Ok(value)
        } else {
            Err(problems)
        }
    }
}

/// Compiles a JSON schema without reaching out to the network or the file system.
pub(crate) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::validator_for(schema).map_err(|error| {
        let place = error.instance_path().as_str();
        if place.is_empty() {
            error.to_string()
        } else {
            format!("at {place}: {error}")
        }
    })
}

/// What `validator` finds wrong with `value`, bounded.
pub(crate) fn problems(validator: &Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .take(MAX_PROBLEMS)
        .map(|error| {
            let place = error.instance_path().as_str();
            let mut text = if place.is_empty() {
                error.to_string()
            } else {
                format!("{place}: {error}")
            };
            if text.len() > MAX_PROBLEM_BYTES {
                text.truncate(text.floor_char_boundary(MAX_PROBLEM_BYTES));
                text.push('…');
            }
            text
        })
        .collect()
}

/// The text without a Markdown code fence around all of it, which models like to add.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"))
    else {
        return text;
    };
    match inner.split_once('\n') {
        Some((language, body)) if language.trim().chars().all(char::is_alphanumeric) => body.trim(),
        _ => text,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> OutputSchema {
        let schema =
            json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
        OutputSchema::of(&OutputSpec::Json { schema })
            .unwrap()
            .unwrap()
    }

    #[test]
    fn fences_are_taken_off() {
        for text in [
            "{\"n\": 1}",
            "```json\n{\"n\": 1}\n```",
            " ```\n{\"n\": 1}``` ",
        ] {
            assert_eq!(schema().read(text).unwrap(), json!({"n": 1}), "{text}");
        }
    }

    #[test]
    fn problems_are_told() {
        assert!(schema().read("well").unwrap_err()[0].contains("not valid JSON"));
        assert!(schema().read("{}").unwrap_err()[0].contains("required"));
        assert!(schema().read("{\"n\": \"x\"}").unwrap_err()[0].starts_with("/n: "));
    }

    #[test]
    fn bad_and_remote_schemas_are_refused() {
        assert!(compile(&json!({"type": "nonsense"})).is_err());
        assert!(compile(&json!({"$ref": "https://example.com/schema.json"})).is_err());
    }
}
