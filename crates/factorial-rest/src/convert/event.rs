//! Events of tasks.

use factorial_api::{Event, Time};
use factorial_core::{Event as StoredEvent, StoreError, TaskRecord};

/// An event of `task` as clients see it.
///
/// # Errors
/// When its data is not JSON that this version reads.
pub(crate) fn event(stored: &StoredEvent, task: &TaskRecord) -> Result<Event, StoreError> {
    let data = serde_json::from_str(stored.data.get()).map_err(|error| StoreError::Corrupt {
        place: "event",
        detail: error.to_string(),
    })?;
    Ok(Event {
        seq: stored.seq,
        event_type: stored.event_type.clone(),
        at: Time::from_millis(stored.at_ms),
        task_id: task.id.as_str().to_owned(),
        owner_id: task.owner.as_str().to_owned(),
        agent: task.agent.as_str().to_owned(),
        turn: stored.turn,
        attempt: stored.attempt,
        data,
    })
}
