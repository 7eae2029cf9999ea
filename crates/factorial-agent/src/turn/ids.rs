//! Ids of tool calls.
//!
//! A call id is half of an idempotency key, but models repeat theirs, and some give none.
//! Invariant: the same reply in the same conversation gives the same ids, and no id stands twice in a task.

use std::collections::HashSet;

use crate::{Message, ToolCall};

/// Longest id that is kept.
const MAX_ID_BYTES: usize = 64;

/// Makes the ids of a reply unique in its conversation.
pub(super) fn make_unique(calls: &mut [ToolCall], conversation: &[Message], turn: u32) {
    let mut taken: HashSet<String> = conversation
        .iter()
        .flat_map(Message::tool_calls)
        .map(|call| call.id.clone())
        .collect();
    for (index, call) in calls.iter_mut().enumerate() {
        let usable = (1..=MAX_ID_BYTES).contains(&call.id.len())
            && call
                .id
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'));
        if !usable || taken.contains(&call.id) {
            let wanted = format!("call_{turn}_{index}");
            let mut id = wanted.clone();
            let mut again = 1u32;
            while taken.contains(&id) {
                again += 1;
                id = format!("{wanted}_{again}");
            }
            call.id = id;
        }
        taken.insert(call.id.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(ids: &[&str]) -> Vec<ToolCall> {
        let call = |id: &&str| ToolCall {
            id: (*id).to_owned(),
            name: "t".to_owned(),
            arguments: String::new(),
            signatures: vec![],
        };
        ids.iter().map(call).collect()
    }

    #[test]
    fn ids_are_made_unique_in_the_conversation() {
        let earlier = Message::Assistant {
            content: String::new(),
            tool_calls: calls(&["call_0", "call_2_1"]),
            reasoning: None,
        };
        let mut new = calls(&["call_0", "", "x", "x", "a/b", &"y".repeat(65)]);
        make_unique(&mut new, std::slice::from_ref(&earlier), 2);
        let ids: Vec<&str> = new.iter().map(|call| call.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "call_2_0",
                "call_2_1_2",
                "x",
                "call_2_3",
                "call_2_4",
                "call_2_5"
            ]
        );
        let mut again = calls(&["call_0", "", "x", "x", "a/b", &"y".repeat(65)]);
        make_unique(&mut again, &[earlier], 2);
        assert_eq!(again, new);
    }
}
