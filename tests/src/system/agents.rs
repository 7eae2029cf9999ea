//! Agent files as the tests want them.

use serde_json::{Value, json};

/// An agent of the simulated model, with short retry delays; `more` adds keys or replaces them.
///
/// # Panics
/// When `more` is not an object.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "calls read as a literal")]
pub fn agent(name: &str, more: Value) -> Value {
    let mut agent = json!({
        "name": name,
        "instructions": "You are tested.",
        "model": { "provider": "openai", "name": "sim-model" },
        "retry": { "base_seconds": 0.2, "cap_seconds": 1.0 },
    });
    for (key, value) in more.as_object().expect("an object") {
        agent[key] = value.clone();
    }
    agent
}

/// A tool that every worker has.
#[must_use]
pub fn function_tool(name: &str) -> Value {
    json!({ "kind": "function", "name": name })
}
