//! The context of a submission, judged by the schema that its agent has announced.
//!
//! Called by the submit handlers once the agent is known. Invariant: a schema is compiled when it is announced, not when
//! it is used.

use factorial_api::FieldError;
use factorial_core::AgentName;
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::schema::wrong_fields;

/// A schema of contexts, compiled.
#[derive(Debug)]
pub(crate) struct ContextSchema {
    schema: Value,
    /// Of a schema that is one.
    validator: Option<Validator>,
}

impl ContextSchema {
    /// Compiles what `agent` has announced. The worker compiled it too: one that is none here is of another version of the
    /// software, and nothing is judged by it.
    pub(crate) fn compile(agent: &AgentName, schema: Value) -> Self {
        let validator = jsonschema::validator_for(&schema)
            .inspect_err(|error| {
                tracing::warn!(agent.name = %agent, %error, "context schema not understood");
            })
            .ok();
        Self { schema, validator }
    }

    /// Whether this is the compiled form of `schema`.
    pub(crate) fn is(&self, schema: &Value) -> bool {
        self.schema == *schema
    }

    /// What is wrong with a context, as pointers into the submission. One that is absent is judged as an empty object.
    pub(super) fn wrong_fields(&self, context: Option<&Value>) -> Vec<FieldError> {
        let Some(validator) = &self.validator else {
            return Vec::new();
        };
        let empty = Value::Object(Map::new());
        wrong_fields(validator, context.unwrap_or(&empty), "/context")
    }
}
