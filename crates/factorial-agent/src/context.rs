//! The schema of the context that submissions of an agent bring.
//!
//! Checked when an agent is loaded or built; gateways judge submissions by it, as a worker has announced it.

use serde_json::Value;

use crate::output;

/// Most bytes of a context schema as JSON: workers announce it whole, and gateways keep it.
const MAX_BYTES: usize = 32 * 1024;

/// Checks a schema of contexts.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_schema(schema: &Value) -> Result<(), String> {
    let bytes = schema.to_string().len();
    if bytes > MAX_BYTES {
        return Err(format!("has {bytes} bytes as JSON; at most {MAX_BYTES}"));
    }
    output::compile(schema).map_err(|why| format!("not a JSON Schema: {why}"))?;
    if schema.get("type").is_none_or(|kind| kind != "object") {
        return Err("must have `type: object`".to_owned());
    }
    Ok(())
}
