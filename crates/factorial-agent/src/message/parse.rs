//! Messages from outside.
//!
//! Called by the gateway on what a client sent. Invariant: what passes can be given to every provider.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Message;

/// What is wrong with a message from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct MessageError {
    /// Where, as in `messages[2].tool_calls[0].id`.
    pub path: String,
    /// What, for people.
    pub problem: String,
}

/// Reads messages that a client sent, strictly: unknown roles, fields and types are refused, and each tool result
/// must answer a tool call before it.
///
/// # Errors
/// Every problem found, at least one.
pub fn parse_messages(value: &Value) -> Result<Vec<Message>, Vec<MessageError>> {
    let Value::Array(items) = value else {
        return Err(vec![problem(
            "messages",
            format!("expected an array, got {}", kind_of(value)),
        )]);
    };
    let mut errors = Vec::new();
    let mut messages: Vec<Message> = Vec::with_capacity(items.len());
    let mut asked: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("messages[{index}]");
        let before = errors.len();
        check(&path, item, &mut errors);
        if errors.len() > before {
            continue;
        }
        match Message::deserialize(item) {
            Ok(message) => {
                asked.extend(message.tool_calls().iter().map(|call| call.id.clone()));
                if let Message::Tool { call_id, .. } = &message
                    && !asked.contains(call_id)
                {
                    errors.push(problem(
                        &format!("{path}.call_id"),
                        "no tool call with this id before it",
                    ));
                }
                messages.push(message);
            }
            Err(error) => errors.push(problem(&path, error.to_string())),
        }
    }
    if errors.is_empty() {
        Ok(messages)
    } else {
        Err(errors)
    }
}

const TEXT: [(&str, bool); 1] = [("content", true)];
const ASSISTANT: [(&str, bool); 2] = [("content", false), ("reasoning", false)];
const TOOL: [(&str, bool); 3] = [("call_id", true), ("name", true), ("content", true)];
const CALL: [(&str, bool); 3] = [("id", true), ("name", true), ("arguments", true)];

fn check(path: &str, item: &Value, errors: &mut Vec<MessageError>) {
    let Value::Object(fields) = item else {
        errors.push(problem(
            path,
            format!("expected an object, got {}", kind_of(item)),
        ));
        return;
    };
    match fields.get("role").and_then(Value::as_str) {
        Some("system" | "user") => strings(path, fields, &TEXT, &["role"], errors),
        Some("assistant") => {
            strings(path, fields, &ASSISTANT, &["role", "tool_calls"], errors);
            match fields.get("tool_calls") {
                None => {}
                Some(Value::Array(calls)) => {
                    for (index, call) in calls.iter().enumerate() {
                        let path = format!("{path}.tool_calls[{index}]");
                        match call {
                            Value::Object(call) => {
                                strings(&path, call, &CALL, &["signatures"], errors)
                            }
                            other => errors.push(problem(
                                &path,
                                format!("expected an object, got {}", kind_of(other)),
                            )),
                        }
                    }
                }
                Some(other) => errors.push(problem(
                    &format!("{path}.tool_calls"),
                    format!("expected an array, got {}", kind_of(other)),
                )),
            }
            if fields.get("content").is_none() && fields.get("tool_calls").is_none() {
                errors.push(problem(
                    path,
                    "an assistant message needs `content` or `tool_calls`",
                ));
            }
        }
        Some("tool") => strings(path, fields, &TOOL, &["role", "is_error"], errors),
        Some(other) => errors.push(problem(
            &format!("{path}.role"),
            format!(
                "unknown role {}, expected system, user, assistant or tool",
                excerpt(other)
            ),
        )),
        None => errors.push(problem(
            &format!("{path}.role"),
            "missing, expected system, user, assistant or tool",
        )),
    }
}

/// Checks the string fields `known` (name, required) and that there are no others than those and `also`.
fn strings(
    path: &str,
    fields: &Map<String, Value>,
    known: &[(&str, bool)],
    also: &[&str],
    errors: &mut Vec<MessageError>,
) {
    for (name, required) in known {
        match fields.get(*name) {
            Some(Value::String(_)) => {}
            Some(other) => errors.push(problem(
                &format!("{path}.{name}"),
                format!("expected a string, got {}", kind_of(other)),
            )),
            None if *required => errors.push(problem(&format!("{path}.{name}"), "missing")),
            None => {}
        }
    }
    for name in fields.keys() {
        if !known.iter().any(|(known, _)| known == name) && !also.contains(&name.as_str()) {
            errors.push(problem(path, format!("unknown field {}", excerpt(name))));
        }
    }
}

fn problem(path: &str, problem: impl Into<String>) -> MessageError {
    MessageError {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

fn excerpt(text: &str) -> String {
    let end = text.floor_char_boundary(40);
    format!(
        "`{}{}`",
        text[..end].escape_debug(),
        if end < text.len() { "…" } else { "" }
    )
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_problems_are_told_with_their_place() {
        let value = json!([
            {"role": "user", "content": ["x"]},
            {"role": "robot", "content": "x"},
            {"content": "x"},
            {"role": "user", "content": "x", "colour": 1},
            {"role": "assistant"},
            {"role": "assistant", "tool_calls": [{"id": "a", "name": 3}]},
            {"role": "tool", "call_id": "nowhere", "name": "n", "content": "c"},
            "text",
        ]);
        let errors: Vec<String> = parse_messages(&value)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            errors,
            [
                "messages[0].content: expected a string, got an array",
                "messages[1].role: unknown role `robot`, expected system, user, assistant or tool",
                "messages[2].role: missing, expected system, user, assistant or tool",
                "messages[3]: unknown field `colour`",
                "messages[4]: an assistant message needs `content` or `tool_calls`",
                "messages[5].tool_calls[0].name: expected a string, got a number",
                "messages[5].tool_calls[0].arguments: missing",
                "messages[6].call_id: no tool call with this id before it",
                "messages[7]: expected an object, got a string",
            ]
        );
        assert_eq!(
            parse_messages(&json!({})).unwrap_err()[0].to_string(),
            "messages: expected an array, got an object"
        );
    }

    #[test]
    fn good_messages_are_read() {
        let value = json!([
            {"role": "user", "content": "x"},
            {"role": "assistant", "tool_calls": [{"id": "a", "name": "n", "arguments": "{}"}]},
            {"role": "tool", "call_id": "a", "name": "n", "content": "c", "is_error": true},
        ]);
        assert_eq!(parse_messages(&value).unwrap().len(), 3);
    }
}
