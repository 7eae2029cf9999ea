//! From a committed conversation to one that a model takes.
//!
//! Results are committed as they come; models want them right after their calls and in call order.
//! Invariant: in what comes out, every tool call but those of an open turn has exactly one result.

use std::collections::HashMap;

use crate::{Message, ToolCall};

/// What a call without a result is said to have given when the conversation went on without it.
const NEVER_ANSWERED: &str =
    "error (unknown_outcome): the call was interrupted; whether it took effect is not known";

/// A conversation in order.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Arranged {
    pub(super) messages: Vec<Message>,
    /// The turn to go on with, if its tools are not done.
    pub(super) open: Option<OpenTurn>,
}

/// A committed reply of whose tool calls some have no result.
#[derive(Debug, Default, PartialEq)]
pub(super) struct OpenTurn {
    /// All calls of the reply, in its order.
    pub(super) calls: Vec<ToolCall>,
    /// The results that are committed, by call id.
    pub(super) done: HashMap<String, Message>,
}

impl OpenTurn {
    pub(super) fn new(calls: Vec<ToolCall>) -> Self {
        Self {
            calls,
            done: HashMap::new(),
        }
    }

    /// The calls to run.
    pub(super) fn outstanding(&self) -> Vec<ToolCall> {
        self.calls
            .iter()
            .filter(|call| !self.done.contains_key(&call.id))
            .cloned()
            .collect()
    }

    /// The results in call order; a missing one is said to be unknown.
    pub(super) fn close(mut self) -> Vec<Message> {
        let calls = std::mem::take(&mut self.calls);
        calls
            .into_iter()
            .map(|call| {
                self.done.remove(&call.id).unwrap_or_else(|| Message::Tool {
                    call_id: call.id,
                    name: call.name,
                    content: NEVER_ANSWERED.to_owned(),
                    is_error: true,
                })
            })
            .collect()
    }
}

/// Puts `conversation` in order. Results without a call, and second results of a call, are left out.
pub(super) fn arrange(conversation: Vec<Message>) -> Arranged {
    let mut arranged = Arranged::default();
    for message in conversation {
        match message {
            Message::Tool { ref call_id, .. } => {
                if let Some(open) = &mut arranged.open
                    && open.calls.iter().any(|call| call.id == *call_id)
                {
                    open.done.entry(call_id.clone()).or_insert(message);
                }
            }
            other => {
                // Whatever follows, the turn is over: its calls are not run any more.
                if let Some(open) = arranged.open.take() {
                    arranged.messages.extend(open.close());
                }
                let calls = other.tool_calls().to_vec();
                arranged.messages.push(other);
                arranged.open = (!calls.is_empty()).then(|| OpenTurn::new(calls));
            }
        }
    }
    if let Some(open) = arranged.open.take_if(|open| open.outstanding().is_empty()) {
        arranged.messages.extend(open.close());
    }
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(ids: &[&str]) -> Message {
        let tool_calls = ids
            .iter()
            .map(|id| ToolCall {
                id: (*id).to_owned(),
                name: "t".to_owned(),
                arguments: "{}".to_owned(),
                signatures: vec![],
            })
            .collect();
        Message::Assistant {
            content: String::new(),
            tool_calls,
            reasoning: None,
        }
    }

    fn result(id: &str) -> Message {
        Message::Tool {
            call_id: id.to_owned(),
            name: "t".to_owned(),
            content: id.to_owned(),
            is_error: false,
        }
    }

    #[test]
    fn results_come_in_call_order() {
        let arranged = arrange(vec![
            Message::user("q"),
            asks(&["a", "b"]),
            result("b"),
            result("a"),
            result("b"),
            result("x"),
        ]);
        assert_eq!(
            arranged.messages,
            [
                Message::user("q"),
                asks(&["a", "b"]),
                result("a"),
                result("b")
            ]
        );
        assert_eq!(arranged.open, None);
    }

    #[test]
    fn an_open_turn_keeps_its_results() {
        let arranged = arrange(vec![Message::user("q"), asks(&["a", "b"]), result("b")]);
        let open = arranged.open.unwrap_or_default();
        assert_eq!(arranged.messages.len(), 2);
        assert_eq!(
            open.outstanding()
                .iter()
                .map(|call| call.id.as_str())
                .collect::<Vec<_>>(),
            ["a"]
        );
    }

    #[test]
    fn a_turn_that_was_left_is_closed() {
        let arranged = arrange(vec![asks(&["a", "b"]), result("b"), Message::user("next")]);
        assert_eq!(arranged.open, None);
        assert_eq!(arranged.messages.len(), 4);
        assert!(
            matches!(&arranged.messages[1], Message::Tool { call_id, is_error: true, .. } if call_id == "a")
        );
        assert_eq!(arranged.messages[2], result("b"));
    }
}
