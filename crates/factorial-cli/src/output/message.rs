//! A conversation as text.

use factorial_api::{Message, MessageBody};

use super::paint::{Paint, Tint, clean, clean_line};

/// Each message under the name of who says it.
pub(crate) fn conversation(messages: &[Message], paint: Paint) -> String {
    if messages.is_empty() {
        return "No messages.\n".to_owned();
    }
    let mut text = String::new();
    for message in messages {
        if !text.is_empty() {
            text.push('\n');
        }
        let (who, content) = parts(&message.body);
        let turn = match message.turn {
            0 => String::new(),
            turn => format!(" (turn {turn})"),
        };
        text.push_str(&paint.tint(Tint::Strong, who));
        text.push_str(&paint.tint(Tint::Faint, turn));
        text.push('\n');
        for line in clean(&content).lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

fn parts(body: &MessageBody) -> (String, String) {
    match body {
        MessageBody::System { content } => ("system".to_owned(), content.clone()),
        MessageBody::User { content, steered } => {
            let who = if *steered { "user, steering" } else { "user" };
            (who.to_owned(), content.clone())
        }
        MessageBody::Assistant {
            content,
            tool_calls,
        } => {
            let mut lines = content.clone();
            for call in tool_calls {
                if !lines.is_empty() {
                    lines.push('\n');
                }
                lines.push_str(&format!("→ {}({})", call.name, call.arguments));
            }
            ("assistant".to_owned(), lines)
        }
        MessageBody::Tool {
            name,
            content,
            is_error,
            ..
        } => {
            let failed = if *is_error { ", failed" } else { "" };
            (format!("{}{failed}", clean_line(name)), content.clone())
        }
    }
}
