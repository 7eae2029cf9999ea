//! Tools that come with a submission and are answered by its caller.
//!
//! Called by the check of a submission, and by the submit handler once the agent is known. Invariant: a tool that
//! passes can be offered to a model, and its schema can be compiled without asking anybody for a part of it.

use std::collections::BTreeSet;

use factorial_api::{CallerTool, FieldError};
use serde_json::Value;

use super::bounds::{Checks, most_text};
use crate::refusal::{field, shorten};

/// Most tools of a submission.
const MOST_TOOLS: usize = 32;
/// Most bytes of all of them, as JSON.
const MOST_TOOL_BYTES: usize = 64 * 1024;
/// Most characters of a name.
const LONGEST_NAME: usize = 64;
/// Most characters of a description.
const LONGEST_DESCRIPTION: usize = 4096;
/// Longest wait for a result: 365 days.
const LONGEST_WAIT_SECONDS: f64 = 365.0 * 24.0 * 3600.0;
/// Shortest: Redis counts in milliseconds.
const SHORTEST_WAIT_SECONDS: f64 = 0.001;

/// Judges tools in themselves.
pub(super) fn check_tools(tools: &[CallerTool], checks: &mut Checks) {
    checks.require(tools.len() <= MOST_TOOLS, "/tools", "must be at most 32");
    let bytes: usize = tools.iter().map(size).sum();
    checks.require(
        bytes <= MOST_TOOL_BYTES,
        "/tools",
        "must be at most 65536 bytes together",
    );
    if tools.len() > MOST_TOOLS || bytes > MOST_TOOL_BYTES {
        // Compiling schemas costs more than reading them.
        return;
    }
    let mut names = BTreeSet::new();
    for (index, tool) in tools.iter().enumerate() {
        let at = |part: &str| format!("/tools/{index}/{part}");
        checks.require(
            is_name(&tool.name),
            at("name"),
            "must be 1 to 64 letters, digits, `_` and `-`",
        );
        checks.require(
            names.insert(&tool.name),
            at("name"),
            "is that of a tool before it",
        );
        checks.require(
            most_text(&tool.description, LONGEST_DESCRIPTION),
            at("description"),
            "must be at most 4096 characters",
        );
        let wait = tool.timeout_seconds;
        checks.require(
            wait.is_none_or(|s| (SHORTEST_WAIT_SECONDS..=LONGEST_WAIT_SECONDS).contains(&s)),
            at("timeout_seconds"),
            "must be 0.001 to 31536000 (365 days)",
        );
        check_schema(&tool.parameters, &at("parameters"), checks);
    }
}

/// A schema of an object, as models are given them.
fn check_schema(schema: &Value, pointer: &str, checks: &mut Checks) {
    let of_object = schema.get("type").and_then(Value::as_str) == Some("object");
    checks.require(
        of_object,
        pointer,
        "must be a JSON Schema with \"type\": \"object\"",
    );
    if of_object && let Err(error) = jsonschema::validator_for(schema) {
        let place = format!("{pointer}{}", error.instance_path());
        checks.require(false, place, &shorten(&error.to_string()));
    }
}

/// Tools with names of the agent's own.
pub(super) fn taken_names(tools: &[CallerTool], own: &[String]) -> Vec<FieldError> {
    let taken = tools
        .iter()
        .enumerate()
        .filter(|(_, tool)| own.contains(&tool.name));
    taken
        .map(|(index, _)| {
            field(
                format!("/tools/{index}/name"),
                "is that of a tool of the agent",
            )
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn size(tool: &CallerTool) -> usize {
    serde_json::to_vec(tool).map_or(MOST_TOOL_BYTES + 1, |text| text.len())
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str, parameters: Value) -> CallerTool {
        CallerTool {
            name: name.to_owned(),
            parameters,
            ..CallerTool::default()
        }
    }

    fn judged(tools: &[CallerTool]) -> Result<(), String> {
        let mut checks = Checks::default();
        check_tools(tools, &mut checks);
        checks.finish().map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn what_can_be_offered_to_a_model() {
        let plain = json!({"type": "object"});
        assert_eq!(judged(&[tool("a-B_3", plain.clone())]), Ok(()));
        let many: Vec<_> = (0..33)
            .map(|n| tool(&format!("t{n}"), plain.clone()))
            .collect();
        assert_eq!(judged(&many[..32]), Ok(()));
        let long = |bytes: usize| tool("t", json!({"type": "object", "title": "x".repeat(bytes)}));
        let late = CallerTool {
            timeout_seconds: Some(31_536_001.0),
            ..tool("t", plain.clone())
        };
        let never = CallerTool {
            timeout_seconds: Some(0.0),
            ..tool("t", plain.clone())
        };
        let said = CallerTool {
            description: "é".repeat(4097),
            ..tool("t", plain.clone())
        };
        assert_eq!(judged(&[long(65_000)]), Ok(()));
        for (bad, pointer) in [
            (many, "\"/tools\""),
            (vec![long(66_000)], "\"/tools\""),
            (vec![tool("a b", plain.clone())], "/tools/0/name"),
            (vec![tool("", plain.clone())], "/tools/0/name"),
            (
                vec![tool("a", plain.clone()), tool("a", plain)],
                "/tools/1/name",
            ),
            (vec![tool("a", json!({}))], "/tools/0/parameters"),
            (vec![tool("a", json!(true))], "/tools/0/parameters"),
            (
                vec![tool(
                    "a",
                    json!({"type": "object", "properties": {"x": {"type": "strin"}}}),
                )],
                "/tools/0/parameters/properties/x/type",
            ),
            (
                vec![tool(
                    "a",
                    json!({"type": "object", "$ref": "http://127.0.0.1:1/x"}),
                )],
                "/tools/0/parameters",
            ),
            (vec![late], "/tools/0/timeout_seconds"),
            (vec![never], "/tools/0/timeout_seconds"),
            (vec![said], "/tools/0/description"),
        ] {
            let refused = judged(&bad).expect_err(pointer);
            assert!(refused.contains(pointer), "{pointer}: {refused}");
        }
    }

    #[test]
    fn the_agents_own_tools_are_its_own() {
        let tools = [tool("a", json!({})), tool("b", json!({}))];
        assert_eq!(taken_names(&tools, &["c".to_owned()]), []);
        let taken = taken_names(&tools, &["b".to_owned()]);
        assert_eq!(taken[0].field, "/tools/1/name");
    }
}
