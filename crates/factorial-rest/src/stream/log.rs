//! Whose events are followed: a task's or a batch's.
//!
//! Used by the event streams and pages. Invariant: the two differ in nothing but what is read here.

use factorial_api::{TEXT_DELTA, TextDelta};
use factorial_core::{BatchRecord, Event, ReplyText, Store, StoreError, Subscription, TaskRecord};

use super::item::Item;
use crate::convert;

/// A log of events, with what clients are told of its subject.
pub(crate) enum Log {
    Task(Box<TaskRecord>),
    Batch(Box<BatchRecord>),
}

/// Whether more can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Ended,
    Gone,
}

impl Log {
    /// Its id, for logs.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Task(task) => task.id.as_str(),
            Self::Batch(batch) => batch.id.as_str(),
        }
    }

    /// What it is, for people.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Task(_) => "task",
            Self::Batch(_) => "batch",
        }
    }

    /// It had ended when it was read.
    pub(crate) fn had_ended(&self) -> bool {
        match self {
            Self::Task(task) => task.state.is_terminal(),
            Self::Batch(batch) => batch.state.is_terminal(),
        }
    }

    /// Live events.
    pub(crate) fn subscribe(&self, store: &Store) -> Subscription {
        match self {
            Self::Task(task) => store.subscribe(&task.id),
            Self::Batch(batch) => store.subscribe_batch(&batch.id),
        }
    }

    /// Events after a `seq`, and the `seq` of the last one.
    ///
    /// # Errors
    /// When Redis does not answer, or an event cannot be read.
    pub(crate) async fn events(
        &self,
        store: &Store,
        after: u64,
        limit: u64,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        match self {
            Self::Task(task) => store.events(&task.id, after, limit).await,
            Self::Batch(batch) => store.batch_events(&batch.id, after, limit).await,
        }
    }

    /// Whether more can come.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn standing(&self, store: &Store) -> Result<Standing, StoreError> {
        let ended = match self {
            Self::Task(task) => store
                .task(&task.id)
                .await?
                .map(|task| task.state.is_terminal()),
            Self::Batch(batch) => store
                .batch(&batch.id)
                .await?
                .map(|batch| batch.state.is_terminal()),
        };
        Ok(match ended {
            None => Standing::Gone,
            Some(true) => Standing::Ended,
            Some(false) => Standing::Open,
        })
    }

    /// An event as clients see it, as JSON.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn encode(&self, event: &Event) -> Result<String, StoreError> {
        let encoded = match self {
            Self::Task(task) => serde_json::to_string(&convert::event(event, task)?),
            Self::Batch(batch) => serde_json::to_string(&convert::batch_event(event, batch)?),
        };
        encoded.map_err(|error| StoreError::Corrupt {
            place: "event",
            detail: error.to_string(),
        })
    }

    /// A part of the open reply as clients see it. It is in no log, so it has no cursor.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn text(
        &self,
        part: &ReplyText,
        offset: usize,
        text: String,
    ) -> Result<Item, StoreError> {
        let told = TextDelta {
            event_type: TEXT_DELTA.to_owned(),
            task_id: self.id().to_owned(),
            turn: part.turn,
            attempt: part.attempt,
            offset: offset as u64,
            text,
        };
        Ok(Item {
            cursor: None,
            name: TEXT_DELTA.to_owned(),
            data: serde_json::to_string(&told).map_err(|error| StoreError::Corrupt {
                place: "text",
                detail: error.to_string(),
            })?,
        })
    }
}
