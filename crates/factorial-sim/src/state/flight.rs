//! One request from its arrival to its last byte.
//!
//! Held by the handler and then by the response body. Invariant: it ends exactly once, and one that is dropped before
//! its end was closed by the client, as the server drops a request in no other case while it runs.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::record::Seen;
use super::shared::{End, Shared};

#[derive(Debug)]
pub(crate) struct Flight {
    shared: Arc<Shared>,
    sequence: u64,
    arrival: (Instant, SystemTime),
    tokens: (u64, u64),
    ended: bool,
}

impl Flight {
    pub(super) fn new(shared: Arc<Shared>, sequence: u64) -> Self {
        Self {
            shared,
            sequence,
            arrival: (Instant::now(), SystemTime::now()),
            tokens: (0, 0),
            ended: false,
        }
    }

    /// Remembers the request, now that it has been parsed.
    pub(crate) fn parsed(&self, seen: &Seen<'_>) {
        self.shared.remember(self.sequence, self.arrival, seen);
    }

    /// Tokens of prompt and completion to count if the reply is sent whole.
    pub(crate) fn costs(&mut self, prompt: u64, completion: u64) {
        self.tokens = (prompt, completion);
    }

    /// The response has been written with this status.
    pub(crate) fn finished(&mut self, status: u16) {
        self.end(End::Status(status));
    }

    /// The server broke the connection.
    pub(crate) fn broken(&mut self) {
        self.end(End::Broken);
    }

    fn end(&mut self, end: End) {
        if !std::mem::replace(&mut self.ended, true) {
            self.shared.end(self.sequence, end, self.tokens);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.end(End::ClosedEarly);
    }
}
