//! The writes that end an attempt without a result: failure, backoff, hand-back.

use std::time::Duration;

use factorial_agent::JournalError;
use factorial_core::{
    Commit, Ending, EventType, Failure, Finish, FinishOutcome, NewEvent, WriteOutcome, failure_kind,
};
use serde_json::json;

use super::StoreJournal;

impl StoreJournal {
    /// Ends the task as failed.
    pub(crate) async fn fail(&self, turn: u32, failure: Failure) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let mut events: Vec<NewEvent> = self.deltas.take().into_iter().collect();
        if failure.kind == failure_kind::LIMIT_EXCEEDED {
            events.push(NewEvent::new(
                EventType::LimitReached,
                turn,
                json!({ "message": failure.message }),
            ));
        }
        let last = Commit {
            write: written.write,
            known: written.known,
            events,
            ..Commit::default()
        };
        let finish = Finish {
            plain: self.plain.clone(),
            last,
            ending: Ending::Failed(failure),
            answer: None,
        };
        match self
            .persist_end(|| self.store.finish(&self.held, &finish, self.lease))
            .await?
        {
            FinishOutcome::Finished => Ok(()),
            FinishOutcome::Steered(_) | FinishOutcome::Stale(_) => Err(self.fenced()),
            FinishOutcome::Diverged(length) => Err(self.diverged(&mut written, length)),
        }
    }

    /// Puts the task aside until it is tried again.
    pub(crate) async fn back_off(
        &self,
        delay: Duration,
        failure: &Failure,
    ) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let write = written.write;
        self.written_or_fenced(
            self.persist_end(|| self.store.back_off(&self.held, write, delay, failure))
                .await?,
        )
    }

    /// Hands the task back.
    pub(crate) async fn release(&self) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let write = written.write;
        self.written_or_fenced(
            self.persist_end(|| self.store.release(&self.held, write))
                .await?,
        )
    }

    fn written_or_fenced(&self, outcome: WriteOutcome) -> Result<(), JournalError> {
        match outcome {
            WriteOutcome::Written => Ok(()),
            WriteOutcome::Stale(_) => Err(self.fenced()),
        }
    }
}
