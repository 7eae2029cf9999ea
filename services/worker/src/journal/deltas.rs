//! Text of the open model call on its way to readers, coalesced.
//!
//! Of tasks that asked to be streamed it goes to the event log; what is pending when a reply is committed travels with that
//! commit. Of others it is told to whoever listens, and kept while the reply is open for those who begin to. Invariant: the
//! text of one reply at a time is here, in order.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use factorial_agent::JournalError;
use factorial_core::{Commit, EventType, NewEvent, ReplyText};
use serde_json::json;
use tokio::{sync::Notify, time::Instant};

use super::StoreJournal;

/// Between two events of text: what comes meanwhile shares the second one.
const LOG_EVERY: Duration = Duration::from_millis(40);
/// The same of text that is told.
const TELL_EVERY: Duration = Duration::from_millis(20);

/// The open reply.
#[derive(Default)]
struct Reply {
    turn: u32,
    text: String,
    /// Bytes of it that were told.
    told: usize,
    /// Somebody listens.
    watched: bool,
}

/// Text as it comes.
pub(crate) struct Deltas {
    reply: Mutex<Reply>,
    arrived: Notify,
    /// It goes to the log.
    logged: bool,
}

impl Deltas {
    /// Of a task that asked to be streamed, or of one that somebody listens to, or not yet.
    pub(crate) fn new(logged: bool, watched: bool) -> Self {
        Self {
            reply: Mutex::new(Reply {
                watched,
                ..Reply::default()
            }),
            arrived: Notify::new(),
            logged,
        }
    }

    /// The task asked to be streamed.
    pub(super) fn is_logged(&self) -> bool {
        self.logged
    }

    fn lock(&self) -> MutexGuard<'_, Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, turn: u32, text: &str) {
        let mut reply = self.lock();
        if reply.turn != turn {
            reply.text.clear();
            (reply.turn, reply.told) = (turn, 0);
        }
        reply.text.push_str(text);
        let wanted = self.logged || reply.watched;
        drop(reply);
        if wanted {
            self.arrived.notify_one();
        }
    }

    /// Somebody begins to listen, and is to be told all of the open reply.
    pub(crate) fn watch(&self) {
        let mut reply = self.lock();
        (reply.watched, reply.told) = (true, 0);
        drop(reply);
        self.arrived.notify_one();
    }

    /// Ends the reply, or what of it goes to the log now: that, as an event.
    pub(super) fn take(&self) -> Option<NewEvent> {
        let mut reply = self.lock();
        reply.told = 0;
        let text = std::mem::take(&mut reply.text);
        let chunk = || {
            NewEvent::new(
                EventType::CompletionChunk,
                reply.turn,
                json!({ "text": text }),
            )
        };
        (self.logged && !text.is_empty()).then(chunk)
    }

    /// What is to be told.
    fn tell(&self, attempt: u32) -> Option<ReplyText> {
        let mut reply = self.lock();
        let (offset, end) = (reply.told, reply.text.len());
        let part = reply.text.get(offset..).filter(|part| !part.is_empty())?;
        let part = ReplyText {
            attempt,
            turn: reply.turn,
            offset,
            text: part.to_owned(),
        };
        reply.told = end;
        Some(part)
    }
}

impl StoreJournal {
    /// Passes text on as it comes; runs beside the run, until the lease is lost.
    pub(crate) async fn pass_deltas(&self) {
        let every = if self.deltas.logged {
            LOG_EVERY
        } else {
            TELL_EVERY
        };
        let mut next = Instant::now();
        loop {
            self.deltas.arrived.notified().await;
            tokio::time::sleep_until(next).await;
            // In a box: it waits beside every run, and few have readers.
            if Box::pin(self.pass()).await.is_err() {
                return;
            }
            next = Instant::now() + every;
        }
    }

    async fn pass(&self) -> Result<(), JournalError> {
        if !self.deltas.logged {
            if let Some(part) = self.deltas.tell(self.attempt)
                && let Err(error) = self.store.tell_text(&self.held.id, &part).await
            {
                // Readers see that it is missing.
                tracing::debug!(task.id = %self.held.id, %error, "text not told");
            }
            return Ok(());
        }
        let mut written = self.written.lock().await;
        let Some(event) = self.deltas.take() else {
            return Ok(());
        };
        let turn = event.turn;
        let mut commit = Commit {
            events: vec![event],
            ..Commit::default()
        };
        self.start_turn(&mut written, turn, &mut commit.events);
        self.commit(&mut written, commit, false).await.map(drop)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn told(deltas: &Deltas) -> Option<(u32, usize, String)> {
        deltas
            .tell(1)
            .map(|part| (part.turn, part.offset, part.text))
    }

    #[test]
    fn a_reader_who_joins_gets_all_and_then_the_rest() {
        let deltas = Deltas::new(false, false);
        deltas.push(1, "Hel");
        deltas.push(1, "lo");
        deltas.watch();
        assert_eq!(told(&deltas), Some((1, 0, "Hello".to_owned())));
        assert_eq!(told(&deltas), None);
        deltas.push(1, "!");
        assert_eq!(told(&deltas), Some((1, 5, "!".to_owned())));
        // Another one.
        deltas.watch();
        assert_eq!(told(&deltas), Some((1, 0, "Hello!".to_owned())));
        // Committed; what is told is not logged.
        assert!(deltas.take().is_none());
        deltas.watch();
        assert_eq!(told(&deltas), None);
        deltas.push(2, "Next");
        assert_eq!(told(&deltas), Some((2, 0, "Next".to_owned())));
    }

    #[test]
    fn what_is_logged_is_logged_once() {
        let deltas = Deltas::new(true, false);
        deltas.push(1, "Hel");
        deltas.push(1, "lo");
        assert_eq!(deltas.take().unwrap().data, json!({ "text": "Hello" }));
        assert!(deltas.take().is_none());
    }
}
