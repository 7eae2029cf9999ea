//! Token counts: a quarter of the characters, rounded up.
//!
//! Invariant: stateless. Whatever stands before the last assistant message was the prompt of the request that this message
//! answered, so it counts as cached; a conversation without one has no cached tokens.

use crate::wire::{ChatRequest, Message, Reply, Role, Usage};

pub(crate) fn count(request: &ChatRequest<'_>, reply: &Reply) -> Usage {
    let tools: u64 = request
        .offered()
        .iter()
        .map(|tool| {
            let schema = tool.function.parameters.map_or("", |schema| schema.get());
            chars(&tool.function.name) + chars(schema)
        })
        .sum();
    let repeated = request
        .messages
        .iter()
        .rposition(|message| message.role == Role::Assistant)
        .unwrap_or(0);
    let (before, after) = request.messages.split_at(repeated);
    let prefix: u64 = before.iter().map(message_chars).sum();
    let rest: u64 = after.iter().map(message_chars).sum();
    Usage {
        prompt: tokens(tools + prefix + rest),
        cached: if repeated == 0 {
            0
        } else {
            tokens(tools + prefix)
        },
        completion: tokens(reply_chars(reply)),
    }
}

fn message_chars(message: &Message<'_>) -> u64 {
    let calls: u64 = message
        .calls()
        .iter()
        .map(|call| chars(call.function.name.as_str()) + chars(call.function.arguments.as_str()))
        .sum();
    chars(message.content.as_str()) + calls
}

fn reply_chars(reply: &Reply) -> u64 {
    let calls: u64 = reply
        .calls
        .iter()
        .map(|call| chars(&call.name) + chars(&call.arguments))
        .sum();
    chars(&reply.text) + reply.refusal.as_deref().map_or(0, chars) + calls
}

fn chars(text: &str) -> u64 {
    text.chars().count() as u64
}

fn tokens(chars: u64) -> u64 {
    chars.div_ceil(4)
}
