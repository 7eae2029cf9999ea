//! The text of an open reply, as a reader has seen it.
//!
//! Used by `follow.rs`, for tasks whose text is in no log, and by the dashboard for all. Invariant: put together, the parts are the reply so far; a part
//! with offset 0 begins it anew.

use factorial_core::{Event, ReplyText};

/// What a reader has of the open reply.
#[derive(Debug, Default)]
pub struct OpenReply {
    /// Attempt and turn.
    of: (u32, u32),
    text: String,
    /// Attempt and turn of the last reply that is complete.
    done: (u32, u32),
}

/// What to do with a part.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// It is new to the reader, from this offset on.
    New(usize, String),
    /// The reader has it.
    Known,
    /// What comes before it is missing.
    Late,
}

impl OpenReply {
    /// Attempt, turn and text, if there is some.
    #[must_use]
    pub fn so_far(&self) -> Option<(u32, u32, &str)> {
        let (attempt, turn) = self.of;
        (!self.text.is_empty()).then_some((attempt, turn, self.text.as_str()))
    }

    /// Takes the text of an event that has some, as tasks with `stream` log it; others end replies.
    pub fn log(&mut self, event: &Event) {
        if event.event_type != "progress_update_completion_chunk" {
            self.note(event);
            return;
        }
        #[derive(serde::Deserialize)]
        struct Chunk<'a> {
            #[serde(borrow)]
            text: std::borrow::Cow<'a, str>,
        }
        let of = (event.attempt, event.turn);
        let chunk = serde_json::from_str::<Chunk<'_>>(event.data.get());
        let Ok(chunk) = chunk else { return };
        if of != self.of {
            self.of = of;
            self.text.clear();
        }
        self.text.push_str(&chunk.text);
    }

    /// Events end replies.
    pub(super) fn note(&mut self, event: &Event) {
        match event.event_type.as_str() {
            "progress_update_completion_completed" => {
                self.done = self.done.max((event.attempt, event.turn));
                self.text.clear();
            }
            "progress_update_completion_interrupted" => self.text.clear(),
            _ => {}
        }
    }

    /// Takes a part.
    pub fn take(&mut self, part: &ReplyText) -> Part {
        let of = (part.attempt, part.turn);
        if of <= self.done || of < self.of {
            return Part::Known;
        }
        let begins = part.offset == 0;
        if of > self.of
            || (begins && !part.text.starts_with(&self.text) && !self.text.starts_with(&part.text))
        {
            if !begins {
                return Part::Late;
            }
            self.of = of;
            self.text.clear();
        }
        let known = self.text.len();
        if part.offset > known {
            return Part::Late;
        }
        // What is here already ends within the part, or the part within that.
        match part.text.get(known - part.offset..) {
            Some(fresh) if !fresh.is_empty() => {
                self.text.push_str(fresh);
                Part::New(known, fresh.to_owned())
            }
            _ => Part::Known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(of: (u32, u32), offset: usize, text: &str) -> ReplyText {
        ReplyText {
            attempt: of.0,
            turn: of.1,
            offset,
            text: text.to_owned(),
        }
    }

    fn new(offset: usize, text: &str) -> Part {
        Part::New(offset, text.to_owned())
    }

    #[test]
    fn parts_make_the_reply_whatever_comes_twice() {
        let mut reply = OpenReply::default();
        assert_eq!(
            reply.take(&part((1, 1), 3, "lo")),
            Part::Late,
            "it came in between"
        );
        assert_eq!(reply.take(&part((1, 1), 0, "Hello")), new(0, "Hello"));
        assert_eq!(reply.take(&part((1, 1), 5, " w")), new(5, " w"));
        // Somebody else has asked for all of it.
        assert_eq!(reply.take(&part((1, 1), 0, "Hello wor")), new(7, "or"));
        assert_eq!(reply.take(&part((1, 1), 7, "or")), Part::Known);
        assert_eq!(reply.take(&part((1, 1), 0, "Hell")), Part::Known);
        assert_eq!(reply.take(&part((1, 1), 12, "?")), Part::Late);
        assert_eq!(reply.take(&part((1, 1), 8, "rld")), new(9, "ld"));
        // The next turn, and a part of the one before that was on its way.
        assert_eq!(reply.take(&part((1, 2), 4, "x")), Part::Late);
        assert_eq!(reply.take(&part((1, 2), 0, "Next")), new(0, "Next"));
        assert_eq!(reply.take(&part((1, 1), 11, "!")), Part::Known);
        // It was begun anew within the turn.
        assert_eq!(reply.take(&part((1, 2), 0, "Other")), new(0, "Other"));
        // Another attempt.
        assert_eq!(reply.take(&part((2, 2), 0, "Again")), new(0, "Again"));
    }

    #[test]
    fn text_that_would_split_a_character_is_passed_over() {
        let mut reply = OpenReply::default();
        assert_eq!(reply.take(&part((1, 1), 0, "aé")), new(0, "aé"));
        assert_eq!(reply.take(&part((1, 1), 2, "xyz")), new(3, "yz"));
    }
}
