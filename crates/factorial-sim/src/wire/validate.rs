//! What the provider refuses in a request that parses.
//!
//! Called by the handler before any reply. It is as strict as the provider about the order of tool messages, because
//! that is what a lost or doubled commit of an orchestrator would break.

use std::collections::HashSet;

use super::error::WireError;
use super::request::{ChatRequest, FormatKind, Message, Role, ToolChoice, ToolMode};

/// Checks a request; the error is the response.
pub(crate) fn validate(request: &ChatRequest<'_>) -> Result<(), WireError> {
    if request.model.is_empty() {
        return Err(WireError::invalid(
            "model",
            "you must provide a model parameter",
        ));
    }
    if request.n.is_some_and(|n| n != 1) {
        return Err(WireError::invalid("n", "Only n = 1 is supported."));
    }
    if request.token_limit() == Some(0) {
        return Err(WireError::invalid(
            "max_completion_tokens",
            "Invalid value: integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ));
    }
    if request.stream_options.is_some() && !request.streams() {
        return Err(WireError::invalid(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ));
    }
    check_tools(request)?;
    check_format(request)?;
    check_messages(&request.messages)
}

fn check_tools(request: &ChatRequest<'_>) -> Result<(), WireError> {
    if request.tools.as_ref().is_some_and(Vec::is_empty) {
        return Err(WireError::invalid(
            "tools",
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ));
    }
    for (index, tool) in request.offered().iter().enumerate() {
        let name = &tool.function.name;
        let plain = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if name.is_empty() || name.len() > 64 || !plain {
            return Err(WireError::invalid(
                format!("tools[{index}].function.name"),
                "Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            ));
        }
    }
    match &request.tool_choice {
        Some(ToolChoice::Named { function })
            if !request
                .offered()
                .iter()
                .any(|tool| tool.function.name == function.name) =>
        {
            Err(WireError::invalid(
                "tool_choice",
                "Tool choice names a function that is not in 'tools'.",
            ))
        }
        Some(ToolChoice::Mode(ToolMode::Required)) if request.offered().is_empty() => {
            Err(WireError::invalid(
                "tool_choice",
                "'tool_choice' is only allowed when 'tools' are specified.",
            ))
        }
        _ => Ok(()),
    }
}

fn check_format(request: &ChatRequest<'_>) -> Result<(), WireError> {
    let schema_missing = request.response_format.as_ref().is_some_and(|format| {
        format.kind == FormatKind::JsonSchema
            && format
                .json_schema
                .as_ref()
                .is_none_or(|named| named.schema.is_none())
    });
    if schema_missing {
        return Err(WireError::invalid(
            "response_format.json_schema.schema",
            "Missing required parameter: 'response_format.json_schema.schema'.",
        ));
    }
    Ok(())
}

/// Every call answered once, right behind its call, and no answer without a call.
fn check_messages(messages: &[Message<'_>]) -> Result<(), WireError> {
    if messages.is_empty() {
        return Err(WireError::invalid(
            "messages",
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ));
    }
    let mut open: HashSet<&str> = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        if message.role == Role::Tool {
            let id = message.tool_call_id.as_ref().map_or("", |id| id.as_str());
            if !open.remove(id) {
                return Err(WireError::invalid(
                    format!("messages[{index}].tool_call_id"),
                    "messages with role 'tool' must be a response to a preceding message with 'tool_calls', once for each 'tool_call_id'.",
                ));
            }
            continue;
        }
        if !open.is_empty() {
            return Err(unanswered(index));
        }
        for call in message.calls() {
            if !open.insert(call.id.as_str()) {
                return Err(WireError::invalid(
                    format!("messages[{index}].tool_calls"),
                    "Duplicate tool call id.",
                ));
            }
        }
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err(unanswered(messages.len()))
    }
}

fn unanswered(index: usize) -> WireError {
    WireError::invalid(
        format!("messages[{index}]"),
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
    )
}
