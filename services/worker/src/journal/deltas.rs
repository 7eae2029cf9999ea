//! Text of the open model call on its way to the event log, coalesced.
//!
//! Only for tasks that asked to be streamed. What is pending when a reply is committed travels with that commit.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use factorial_agent::JournalError;
use factorial_core::{Commit, EventType, NewEvent};
use serde_json::json;
use tokio::sync::Notify;

use super::StoreJournal;

/// Text that came within this time shares an event.
const COALESCE: Duration = Duration::from_millis(50);

/// Text that waits to be logged.
#[derive(Default)]
struct Pending {
    turn: u32,
    text: String,
}

/// Text as it comes.
#[derive(Default)]
pub(super) struct Deltas {
    pending: Mutex<Pending>,
    arrived: Notify,
}

impl Deltas {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, turn: u32, text: &str) {
        let mut pending = self.lock();
        pending.turn = turn;
        pending.text.push_str(text);
        drop(pending);
        self.arrived.notify_one();
    }

    /// What is pending, as an event.
    pub(super) fn take(&self) -> Option<NewEvent> {
        let mut pending = self.lock();
        let text = std::mem::take(&mut pending.text);
        let chunk = || {
            NewEvent::new(
                EventType::CompletionChunk,
                pending.turn,
                json!({ "text": text }),
            )
        };
        (!text.is_empty()).then(chunk)
    }
}

impl StoreJournal {
    /// Logs text as it comes; runs beside the run, until the lease is lost.
    pub(crate) async fn log_deltas(&self) {
        loop {
            self.deltas.arrived.notified().await;
            tokio::time::sleep(COALESCE).await;
            // In a box: it waits beside every run, and few have text to log.
            if Box::pin(self.log_pending()).await.is_err() {
                return;
            }
        }
    }

    async fn log_pending(&self) -> Result<(), JournalError> {
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
