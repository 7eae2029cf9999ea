//! Conversations: entries in the store become messages.
//!
//! An input is several messages: those that were given, then the query. The output is none: what it says is in the
//! last reply, and `/result` gives it. A cursor therefore names a place inside an entry, and what has been counted
//! up to there. Invariant: pages of any size, put together, are the same messages with the same places.

use std::{fmt, str::FromStr};

use factorial_api::{Message, MessageBody, ToolCall};
use factorial_core::{Entry, Role};

/// Larger numbers are in no cursor that was given out.
const LARGEST: u64 = 1 << 32;

/// A place in a conversation, between two messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The entry.
    pub(crate) entry: u64,
    /// Messages of the entry before the place.
    skip: u64,
    /// Messages of the conversation before the place.
    index: u64,
    /// The last turn that was begun before the place.
    turn: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.entry, self.skip, self.index, self.turn
        )
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<u64>().ok()).flatten()
        });
        let mut next = || parts.next().flatten().filter(|number| *number < LARGEST);
        let place = (|| {
            Some(Self {
                entry: next()?,
                skip: next()?,
                index: next()?,
                turn: u32::try_from(next()?).ok()?,
            })
        })();
        match (place, parts.next()) {
            (Some(place), None) => Ok(place),
            _ => Err("is not a cursor of this list"),
        }
    }
}

/// At most `limit` messages from `place` on, which is moved behind them. `entries` begin with that of the place.
pub(crate) fn messages(entries: Vec<Entry>, place: &mut Place, limit: usize) -> Vec<Message> {
    let mut page = Vec::new();
    for entry in entries {
        let (turn, bodies) = bodies(entry);
        place.turn = turn.unwrap_or(place.turn);
        let total = bodies.len() as u64;
        let skip = usize::try_from(place.skip).unwrap_or(usize::MAX);
        for body in bodies.into_iter().skip(skip) {
            if page.len() == limit {
                return page;
            }
            page.push(Message {
                index: place.index,
                turn: place.turn,
                body,
            });
            place.index += 1;
            place.skip += 1;
        }
        if place.skip >= total {
            place.entry += 1;
            place.skip = 0;
        }
    }
    page
}

/// The messages of an entry, and the turn that it begins or belongs to; an input begins a run, before its first turn.
fn bodies(entry: Entry) -> (Option<u32>, Vec<MessageBody>) {
    match entry {
        Entry::Input {
            messages, query, ..
        } => {
            let given = messages.into_iter().map(|m| said(m.role, m.content, false));
            let query = query.map(|content| said(Role::User, content, false));
            (Some(0), given.chain(query).collect())
        }
        Entry::Reply {
            turn,
            content,
            tool_calls,
            ..
        } => {
            let tool_calls = tool_calls.into_iter().map(|call| ToolCall {
                id: call.id,
                name: call.name,
                arguments: call.arguments,
            });
            let body = MessageBody::Assistant {
                content,
                tool_calls: tool_calls.collect(),
            };
            (Some(turn), vec![body])
        }
        Entry::Repair { turn, content } => (Some(turn), vec![MessageBody::System { content }]),
        Entry::Tool {
            turn,
            call_id,
            name,
            content,
            is_error,
        } => {
            let body = MessageBody::Tool {
                call_id,
                name,
                content,
                is_error,
            };
            (Some(turn), vec![body])
        }
        Entry::Steer { role, content } => (None, vec![said(role, content, true)]),
        Entry::Output { .. } => (None, Vec::new()),
    }
}

fn said(role: Role, content: String, steered: bool) -> MessageBody {
    match role {
        Role::System => MessageBody::System { content },
        Role::User => MessageBody::User { content, steered },
        Role::Assistant => MessageBody::Assistant {
            content,
            tool_calls: Vec::new(),
        },
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use factorial_core::InputMessage;

    use super::*;

    fn conversation() -> Vec<Entry> {
        let message = |content: &str| InputMessage {
            role: Role::User,
            content: content.to_owned(),
        };
        let input = |messages, query: &str| Entry::Input {
            messages,
            query: Some(query.to_owned()),
            context: None,
        };
        let reply = |turn| Entry::Reply {
            turn,
            content: format!("r{turn}"),
            tool_calls: Vec::new(),
            reasoning: None,
        };
        vec![
            input(vec![message("a"), message("b")], "c"),
            reply(1),
            Entry::Steer {
                role: Role::User,
                content: "s".to_owned(),
            },
            reply(2),
            Entry::Output { value: None },
            input(Vec::new(), "d"),
            reply(1),
        ]
    }

    #[test]
    fn pages_of_any_size_are_the_same_messages() {
        let all = messages(conversation(), &mut Place::default(), 100);
        let turns: Vec<_> = all.iter().map(|m| (m.index, m.turn)).collect();
        assert_eq!(
            turns,
            [
                (0, 0),
                (1, 0),
                (2, 0),
                (3, 1),
                (4, 1),
                (5, 2),
                (6, 0),
                (7, 1)
            ]
        );
        for limit in 1..=9 {
            let (mut place, mut read) = (Place::default(), Vec::new());
            loop {
                // As a client does it: through the text of the cursor.
                place = place.to_string().parse().expect("our own cursor");
                let from = usize::try_from(place.entry).expect("small");
                let page = messages(conversation().split_off(from), &mut place, limit);
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
            assert_eq!(read, all, "pages of {limit}");
        }
    }

    #[test]
    fn only_cursors_are_cursors() {
        for bad in [
            "",
            "1",
            "1.2.3",
            "1.2.3.4.5",
            "-1.0.0.0",
            "1.2.3.x",
            "99999999999.0.0.0",
            "+1.0.0.0",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
