//! Between the conversation as it is stored and as the turn loop knows it.

use std::time::Duration;

use factorial_agent::{CallerTool, Message, ToolCall, Usage, Wait, WaitKey, WaitKind, WaitOutcome};
use factorial_core::{self as core, Entry, Role, ToolCall as StoredCall};
use serde::Deserialize;
use serde_json::Value;

fn said(role: Role, content: String) -> Message {
    match role {
        Role::System => Message::system(content),
        Role::User => Message::user(content),
        Role::Assistant => Message::assistant(content),
    }
}

/// Messages of some entries, and the last free context among them.
pub(crate) fn messages(entries: Vec<Entry>) -> (Vec<Message>, Option<Value>) {
    let mut messages = Vec::with_capacity(entries.len() + 1);
    let mut last_context = None;
    for entry in entries {
        match entry {
            Entry::Input {
                messages: before,
                query,
                context,
            } => {
                messages.extend(before.into_iter().map(|m| said(m.role, m.content)));
                messages.extend(query.map(Message::user));
                last_context = context.or(last_context);
            }
            Entry::Reply {
                content,
                tool_calls,
                reasoning,
                ..
            } => {
                let tool_calls = tool_calls
                    .into_iter()
                    .map(|c| ToolCall {
                        id: c.id,
                        name: c.name,
                        arguments: c.arguments,
                        signatures: c.signatures,
                    })
                    .collect();
                messages.push(Message::Assistant {
                    content,
                    tool_calls,
                    reasoning,
                });
            }
            Entry::Repair { content, .. } => messages.push(Message::user(content)),
            Entry::Tool {
                call_id,
                name,
                content,
                is_error,
                ..
            } => {
                messages.push(Message::Tool {
                    call_id,
                    name,
                    content,
                    is_error,
                });
            }
            Entry::Steer { role, content } => messages.push(said(role, content)),
            Entry::Output { .. } => {}
        }
    }
    (messages, last_context)
}

/// The entry of a reply.
pub(crate) fn reply(turn: u32, message: Message) -> Entry {
    let content = message.content().to_owned();
    let (tool_calls, reasoning) = match message {
        Message::Assistant {
            tool_calls,
            reasoning,
            ..
        } => (tool_calls, reasoning),
        Message::System { .. } | Message::User { .. } | Message::Tool { .. } => (Vec::new(), None),
    };
    let tool_calls = tool_calls
        .into_iter()
        .map(|c| StoredCall {
            id: c.id,
            name: c.name,
            arguments: c.arguments,
            signatures: c.signatures,
        })
        .collect();
    Entry::Reply {
        turn,
        content,
        tool_calls,
        reasoning,
    }
}

/// Tokens.
pub(crate) fn usage(stored: core::Usage) -> Usage {
    Usage {
        input: stored.input,
        cached_input: stored.cached_input,
        output: stored.output,
        reasoning: stored.reasoning,
    }
}

/// A wait key, stored.
pub(crate) fn wait_key(key: &WaitKey) -> core::WaitKey {
    match key {
        WaitKey::Call(call) => core::WaitKey::Call(call.clone()),
        WaitKey::Approval(call) => core::WaitKey::Approval(call.clone()),
        WaitKey::Child(call, index) => core::WaitKey::Child(call.clone(), *index),
    }
}

/// Who answers, stored.
pub(crate) fn wait_kind(kind: WaitKind) -> core::WaitKind {
    match kind {
        WaitKind::Child => core::WaitKind::Child,
        WaitKind::Caller => core::WaitKind::Caller,
        WaitKind::Operator => core::WaitKind::Operator,
        WaitKind::Approval => core::WaitKind::Approval,
    }
}

/// The waits of a task as the turn loop knows them.
pub(crate) fn waits(stored: Vec<core::Wait>) -> Vec<Wait> {
    let wait = |wait: core::Wait| Wait {
        key: match wait.key {
            core::WaitKey::Call(call) => WaitKey::Call(call),
            core::WaitKey::Approval(call) => WaitKey::Approval(call),
            core::WaitKey::Child(call, index) => WaitKey::Child(call, index),
        },
        kind: match wait.kind {
            core::WaitKind::Child => WaitKind::Child,
            core::WaitKind::Caller => WaitKind::Caller,
            core::WaitKind::Operator => WaitKind::Operator,
            core::WaitKind::Approval => WaitKind::Approval,
        },
        version: match wait.subject {
            core::WaitSubject::Call { version, .. } => version,
            core::WaitSubject::Child(_) => None,
        },
        status: match wait.status {
            core::WaitStatus::Open { .. } => factorial_agent::WaitStatus::Open,
            core::WaitStatus::Answered {
                outcome: how,
                payload,
                ..
            } => factorial_agent::WaitStatus::Answered(outcome(how), payload),
            core::WaitStatus::Taken { outcome: how, .. } => {
                factorial_agent::WaitStatus::Taken(outcome(how))
            }
        },
    };
    stored.into_iter().map(wait).collect()
}

fn outcome(stored: core::WaitOutcome) -> WaitOutcome {
    match stored {
        core::WaitOutcome::Completed => WaitOutcome::Completed,
        core::WaitOutcome::Failed => WaitOutcome::Failed,
        core::WaitOutcome::Cancelled => WaitOutcome::Cancelled,
        core::WaitOutcome::Result => WaitOutcome::Result,
        core::WaitOutcome::Error => WaitOutcome::Error,
        core::WaitOutcome::Approved => WaitOutcome::Approved,
        core::WaitOutcome::Denied => WaitOutcome::Denied,
        core::WaitOutcome::Timeout => WaitOutcome::Timeout,
        core::WaitOutcome::Interrupted => WaitOutcome::Interrupted,
        core::WaitOutcome::Closed => WaitOutcome::Closed,
    }
}

/// How long a tool of the caller is waited for that says nothing of it.
const CALLER_TIMEOUT_SECONDS: f64 = 86_400.0;

#[derive(Deserialize)]
struct SubmittedTool {
    name: String,
    #[serde(default)]
    description: String,
    parameters: Value,
    #[serde(default)]
    timeout_seconds: Option<f64>,
}

/// The tools that a submission has declared. One that cannot be read was written by another version, and is left out.
pub(crate) fn caller_tools(stored: Option<&Value>) -> Vec<CallerTool> {
    let Some(Value::Array(tools)) = stored else {
        return Vec::new();
    };
    let tool = |value: &Value| {
        let tool = SubmittedTool::deserialize(value).ok()?;
        let seconds = tool.timeout_seconds.unwrap_or(CALLER_TIMEOUT_SECONDS);
        Some(CallerTool {
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            timeout: Duration::try_from_secs_f64(seconds).ok(),
        })
    };
    tools.iter().filter_map(tool).collect()
}
