//! Between the conversation as it is stored and as the turn loop knows it.

use factorial_agent::{Message, ToolCall};
use factorial_core::{Entry, Role, ToolCall as StoredCall};
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
