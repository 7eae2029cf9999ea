//! What a reply means for the run.
//!
//! Pure; called by the turn loop for every whole reply. Invariant: a reply is repaired at most once in a row.

use crate::{ErrorKind, FinishReason, Message, ModelReply, Output, OutputSchema};

/// Most tool calls of one reply.
const MAX_CALLS: usize = 128;

/// How the message begins that asks for a better reply; it tells a repair turn apart in the conversation.
const REPAIR: &str = "Your last reply could not be used: ";

/// What to do with a reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Run its tools.
    Tools,
    /// The run is over.
    Final(Output),
    /// Tell the model this and ask again.
    Repair(Message),
    /// The run has failed.
    Fail(ErrorKind, String),
}

/// Judges a reply. `repaired` says that it answers a repair message.
pub(super) fn judge(reply: &ModelReply, schema: Option<&OutputSchema>, repaired: bool) -> Verdict {
    let fail = |kind, message: &str| Verdict::Fail(kind, message.to_owned());
    if reply.finish_reason == FinishReason::Refusal {
        return Verdict::Fail(ErrorKind::Refused, refusal(&reply.text));
    }
    if reply.tool_calls.len() > MAX_CALLS {
        return Verdict::Fail(
            ErrorKind::InvalidReply,
            format!("the reply asks for more than {MAX_CALLS} tool calls"),
        );
    }
    if !reply.tool_calls.is_empty() {
        return Verdict::Tools;
    }
    let truncated = reply.finish_reason == FinishReason::Length;
    if reply.finish_reason == FinishReason::ToolCalls {
        return fail(
            ErrorKind::InvalidReply,
            "the provider announced tool calls but sent none",
        );
    }
    if truncated && (schema.is_some() || reply.text.trim().is_empty()) {
        return fail(
            ErrorKind::TruncatedReply,
            "the reply reached the output token limit (max_tokens) before it was whole",
        );
    }
    match output(&reply.text, truncated, schema) {
        Ok(output) => Verdict::Final(output),
        Err(Flaw { problem, kind }) if repaired => {
            Verdict::Fail(kind, format!("also after a repair turn: {problem}"))
        }
        Err(Flaw { problem, .. }) => Verdict::Repair(repair(&problem, schema)),
    }
}

/// The repair message that an unusable last reply of `conversation` is missing, if it ends in one.
pub(super) fn missing_repair(
    conversation: &[Message],
    schema: Option<&OutputSchema>,
) -> Option<Message> {
    match conversation.last() {
        Some(Message::Assistant {
            content,
            tool_calls,
            ..
        }) if tool_calls.is_empty() => output(content, false, schema)
            .err()
            .map(|flaw| repair(&flaw.problem, schema)),
        _ => None,
    }
}

/// Whether the next reply answers a repair message: one that no other user message follows.
pub(super) fn is_repaired(conversation: &[Message]) -> bool {
    let last = conversation.iter().rev().find_map(|message| match message {
        Message::User { content } => Some(content),
        Message::System { .. } | Message::Assistant { .. } | Message::Tool { .. } => None,
    });
    last.is_some_and(|content| content.starts_with(REPAIR))
}

struct Flaw {
    kind: ErrorKind,
    problem: String,
}

fn output(text: &str, truncated: bool, schema: Option<&OutputSchema>) -> Result<Output, Flaw> {
    if text.trim().is_empty() {
        return Err(Flaw {
            kind: ErrorKind::InvalidReply,
            problem: "it was empty".to_owned(),
        });
    }
    match schema {
        None => Ok(Output::Text {
            text: text.to_owned(),
            truncated,
        }),
        Some(schema) => {
            let read = schema.read(text).map_err(|problems| Flaw {
                kind: ErrorKind::OutputInvalid,
                problem: problems.join("; "),
            });
            read.map(|value| Output::Json { value })
        }
    }
}

fn repair(problem: &str, schema: Option<&OutputSchema>) -> Message {
    Message::user(match schema {
        None => format!("{REPAIR}{problem}. Answer again, in words or with a tool call."),
        Some(schema) => format!(
            "{REPAIR}{problem}. Answer again with nothing but JSON that is valid under this JSON Schema:\n{}",
            schema.schema()
        ),
    })
}

fn refusal(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        "the model or its content filter refused".to_owned()
    } else {
        format!(
            "the model refused: {}",
            &text[..text.floor_char_boundary(500)]
        )
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::{ToolCall, Usage, definition::OutputSpec};

    fn reply(text: &str, finish_reason: FinishReason, calls: usize) -> ModelReply {
        let call = ToolCall {
            id: "a".into(),
            name: "t".into(),
            arguments: "{}".into(),
            signatures: vec![],
        };
        ModelReply {
            text: text.to_owned(),
            tool_calls: vec![call; calls],
            reasoning: None,
            finish_reason,
            usage: Usage::default(),
            model: "m".into(),
            provider: "p".into(),
            provider_response_id: None,
            time_to_first_token: Duration::ZERO,
            duration: Duration::ZERO,
        }
    }

    fn name(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Tools => "tools".into(),
            Verdict::Final(Output::Text {
                truncated: true, ..
            }) => "cut text".into(),
            Verdict::Final(Output::Text { .. }) => "text".into(),
            Verdict::Final(Output::Json { .. }) => "json".into(),
            Verdict::Repair(_) => "repair".into(),
            Verdict::Fail(kind, _) => kind.to_string(),
        }
    }

    #[test]
    fn every_combination_has_its_verdict() {
        use FinishReason::{Length, Refusal, Stop, ToolCalls};
        let schema = OutputSchema::of(&OutputSpec::Json {
            schema: json!({"type": "object"}),
        })
        .unwrap();
        for (text, finish, calls, as_text, as_json) in [
            ("hi", Stop, 0, "text", "repair"),
            ("{}", Stop, 0, "text", "json"),
            ("{", Length, 0, "cut text", "truncated_reply"),
            ("", Length, 0, "truncated_reply", "truncated_reply"),
            ("", Stop, 0, "repair", "repair"),
            (" \n", Stop, 0, "repair", "repair"),
            ("", ToolCalls, 0, "invalid_reply", "invalid_reply"),
            ("", ToolCalls, 1, "tools", "tools"),
            ("x", Stop, 2, "tools", "tools"),
            ("", Length, 1, "tools", "tools"),
            ("", ToolCalls, 129, "invalid_reply", "invalid_reply"),
            ("no", Refusal, 0, "refused", "refused"),
            ("", Refusal, 1, "refused", "refused"),
        ] {
            let reply = reply(text, finish, calls);
            assert_eq!(
                name(&judge(&reply, None, false)),
                as_text,
                "{text:?} {finish:?} {calls}"
            );
            assert_eq!(
                name(&judge(&reply, schema.as_ref(), false)),
                as_json,
                "{text:?} {finish:?} {calls}"
            );
        }
        assert_eq!(
            name(&judge(&reply("", Stop, 0), None, true)),
            "invalid_reply"
        );
        assert_eq!(
            name(&judge(&reply("x", Stop, 0), schema.as_ref(), true)),
            "output_invalid"
        );
    }

    #[test]
    fn a_repair_turn_is_known_by_its_message() {
        let repair = missing_repair(&[Message::assistant("")], None).unwrap();
        assert!(is_repaired(&[
            Message::user("q"),
            Message::assistant(""),
            repair.clone()
        ]));
        assert!(!is_repaired(&[
            Message::user("q"),
            Message::assistant(""),
            repair,
            Message::user("steer")
        ]));
        assert!(!is_repaired(&[Message::user("q")]));
        assert_eq!(missing_repair(&[Message::assistant("x")], None), None);
        assert_eq!(
            missing_repair(&[Message::assistant(""), Message::user("x")], None),
            None
        );
    }
}
