//! Follows the log of a task or a batch from any `seq` on.
//!
//! A source of streams. The log is read first, then live notifications are joined to it by `seq`; where
//! they do not fit, the log is read again. Invariants: every `seq` comes once and in order; it ends only when the task or
//! batch has ended and its log has been read to the end, so that an operator's retry is followed through.

use std::time::Duration;

use factorial_core::{Event, EventBatch, Store, StoreError, Subscription};
use tokio::time::sleep;

use super::{
    item::Item,
    log::{Log, Standing},
    source::End,
};

/// Events read from the log at once. All of them are held for a reader who does not read on.
const PAGE: u64 = 32;
/// Before the log is read again after the store did not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A reader's place in a log.
pub(crate) struct Follow {
    store: Store,
    log: Log,
    live: Subscription,
    last: u64,
    /// The log may hold events after `last` that no notification will bring.
    behind: bool,
}

impl Follow {
    /// Begins after the event `last`; 0 is before the first.
    pub(crate) fn new(store: Store, log: Log, last: u64) -> Self {
        Self {
            live: log.subscribe(&store),
            store,
            log,
            last,
            behind: true,
        }
    }

    /// The log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The next events, at least one. Waits for them, also while Redis is away. Safe to be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Vec<Item>, End> {
        let events = self.events().await?;
        let items: Result<Vec<Item>, StoreError> =
            events.iter().map(|event| self.item(event)).collect();
        items.map_err(|error| {
            tracing::error!(log.id = self.log.id(), %error, "event stream failed");
            End::Failed
        })
    }

    fn item(&self, event: &Event) -> Result<Item, StoreError> {
        Ok(Item {
            cursor: Some(event.seq.to_string()),
            name: event.event_type.clone(),
            data: self.log.encode(event)?,
        })
    }

    async fn events(&mut self) -> Result<Vec<Event>, End> {
        loop {
            let step = if self.behind {
                self.read_on().await
            } else {
                Ok(self.listen().await)
            };
            match step {
                Ok(Step::Events(events)) => return Ok(events),
                Ok(Step::Nothing) => {}
                Ok(Step::End(end)) => return Err(end),
                Err(error) if error.is_unavailable() => sleep(AGAIN_AFTER).await,
                Err(error) => {
                    tracing::error!(log.id = self.log.id(), %error, "event stream failed");
                    return Err(End::Failed);
                }
            }
        }
    }

    async fn read_on(&mut self) -> Result<Step, StoreError> {
        if let Some(events) = self.page().await? {
            return Ok(Step::Events(events));
        }
        match self.log.standing(&self.store).await? {
            Standing::Gone => Ok(Step::End(End::Gone)),
            Standing::Open => {
                self.behind = false;
                Ok(Step::Nothing)
            }
            // Its last events may have been appended since the log was read.
            Standing::Ended => Ok(match self.page().await? {
                Some(events) => Step::Events(events),
                None => Step::End(End::Finished),
            }),
        }
    }

    /// Events after the last one; `None` when there are none.
    async fn page(&mut self) -> Result<Option<Vec<Event>>, StoreError> {
        let (events, _) = self.log.events(&self.store, self.last, PAGE).await?;
        let Some(event) = events.last() else {
            return Ok(None);
        };
        self.last = event.seq;
        Ok(Some(events))
    }

    async fn listen(&mut self) -> Step {
        let EventBatch::Events(batch) = self.live.next().await else {
            self.behind = true;
            return Step::Nothing;
        };
        if batch.first().is_some_and(|event| event.seq > self.last + 1) {
            self.behind = true;
            return Step::Nothing;
        }
        let fresh = batch.iter().filter(|event| event.seq > self.last);
        let fresh: Vec<Event> = fresh.cloned().collect();
        let Some(event) = fresh.last() else {
            return Step::Nothing;
        };
        self.last = event.seq;
        // Perhaps that was all.
        self.behind = fresh.iter().any(Event::is_terminal);
        Step::Events(fresh)
    }
}

enum Step {
    Events(Vec<Event>),
    Nothing,
    End(End),
}
