//! Follows the log of a task or a batch from any `seq` on.
//!
//! A source of streams. The log is read first, then live notifications are joined to it by `seq`; where
//! they do not fit, the log is read again. Invariants: every `seq` comes once and in order; it ends only when the task or
//! batch has ended and its log has been read to the end, so that an operator's retry is followed through.

use std::time::Duration;

use factorial_core::{Event, EventBatch, ReplyText, Store, StoreError, Subscription};
use tokio::time::{Instant, sleep};

use super::{
    item::Item,
    log::{Log, Standing},
    reply::{OpenReply, Part},
    source::End,
};

/// Events read from the log at once. All of them are held for a reader who does not read on.
const PAGE: u64 = 32;
/// Before the log is read again after the store did not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Before the worker is asked again for the whole of the open reply.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// A reader's place in a log.
pub(crate) struct Follow {
    store: Store,
    log: Log,
    live: Subscription,
    last: u64,
    /// The log may hold events after `last` that no notification will bring.
    behind: bool,
    reply: OpenReply,
    /// When the worker was last asked for the whole of the open reply.
    asked: Option<Instant>,
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
            reply: OpenReply::default(),
            asked: None,
        }
    }

    /// The log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The next events, at least one, or text of the open reply. Waits for them, also while Redis is away. Safe to be
    /// dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Vec<Item>, End> {
        loop {
            let step = if self.behind {
                self.read_on().await
            } else {
                self.listen().await
            };
            let error = match step {
                Ok(Step::Events(events)) => match self.items(&events) {
                    Ok(items) => return Ok(items),
                    Err(error) => error,
                },
                Ok(Step::Text(item)) => return Ok(vec![item]),
                Ok(Step::Nothing) => continue,
                Ok(Step::End(end)) => return Err(end),
                Err(error) if error.is_unavailable() => {
                    sleep(AGAIN_AFTER).await;
                    continue;
                }
                Err(error) => error,
            };
            tracing::error!(log.id = self.log.id(), %error, "event stream failed");
            return Err(End::Failed);
        }
    }

    fn items(&mut self, events: &[Event]) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(events.len());
        for event in events {
            self.reply.note(event);
            items.push(Item {
                cursor: Some(event.seq.to_string()),
                name: event.event_type.clone(),
                data: self.log.encode(event)?,
            });
        }
        Ok(items)
    }

    async fn read_on(&mut self) -> Result<Step, StoreError> {
        if let Some(events) = self.page().await? {
            return Ok(Step::Events(events));
        }
        match self.log.standing(&self.store).await? {
            Standing::Gone => Ok(Step::End(End::Gone)),
            Standing::Open => {
                self.behind = false;
                if self.asked.is_none() {
                    self.ask().await?;
                }
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

    async fn listen(&mut self) -> Result<Step, StoreError> {
        let batch = match self.live.next().await {
            EventBatch::Events(batch) => batch,
            EventBatch::Text(part) => return self.text(&part).await,
            EventBatch::Entry(_) | EventBatch::Look => {
                self.behind = true;
                return Ok(Step::Nothing);
            }
        };
        if batch.first().is_some_and(|event| event.seq > self.last + 1) {
            self.behind = true;
            return Ok(Step::Nothing);
        }
        let fresh = batch.iter().filter(|event| event.seq > self.last);
        let fresh: Vec<Event> = fresh.cloned().collect();
        let Some(event) = fresh.last() else {
            return Ok(Step::Nothing);
        };
        self.last = event.seq;
        // Perhaps that was all.
        self.behind = fresh.iter().any(Event::is_terminal);
        Ok(Step::Events(fresh))
    }

    async fn text(&mut self, part: &ReplyText) -> Result<Step, StoreError> {
        match self.reply.take(part) {
            Part::Known => Ok(Step::Nothing),
            Part::New(offset, text) => Ok(Step::Text(self.log.text(part, offset, text)?)),
            Part::Late => {
                if self.asked.is_none_or(|at| at.elapsed() > ASK_AGAIN_AFTER) {
                    self.ask().await?;
                }
                Ok(Step::Nothing)
            }
        }
    }

    /// Has the worker say all that there is of the open reply.
    async fn ask(&mut self) -> Result<(), StoreError> {
        self.asked = Some(Instant::now());
        match &self.log {
            Log::Task(task) if !task.stream => self.store.watch(&task.id).await,
            _ => Ok(()),
        }
    }
}

enum Step {
    Events(Vec<Event>),
    Text(Item),
    Nothing,
    End(End),
}
