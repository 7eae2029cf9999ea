//! What somebody reads who follows one task: the record, and how its log and its conversation go on.
//!
//! Used by the dashboard's live view. Invariant: the same conversions as the handlers', so that a view that is fed by it and
//! one that asks by REST see the same.

use factorial_api::{Event, Message, Task};
use factorial_core::{Store, StoreError, TaskId, TaskRecord};

use crate::convert::{self, Place};

/// A task as clients see it.
#[must_use]
pub fn shown_task(record: TaskRecord) -> Task {
    convert::task(record)
}

/// Events of a task after a `seq`, at most `limit`, and the `seq` of the last one there is.
///
/// # Errors
/// When the store does not answer, or an event cannot be read.
pub async fn events_after(
    store: &Store,
    task: &TaskRecord,
    after: u64,
    limit: u64,
) -> Result<(Vec<Event>, u64), StoreError> {
    let (events, last) = store.events(&task.id, after, limit).await?;
    let events = events.iter().map(|event| convert::event(event, task));
    Ok((events.collect::<Result<_, _>>()?, last))
}

/// A reader of a conversation, who goes on where the last read ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conversation(Place);

impl Conversation {
    /// The next messages, at most `limit`; none at the end as it is now.
    ///
    /// # Errors
    /// When the store does not answer, or an entry cannot be read.
    pub async fn next(
        &mut self,
        store: &Store,
        id: &TaskId,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let entries = store.entries(id, self.0.entry, limit as u64 + 1).await?;
        Ok(convert::messages(entries, &mut self.0, limit))
    }
}
