//! Records and events of batches.

use factorial_api::{Batch, BatchEvent, BatchStatus, Progress, ProgressUnit, Time};
use factorial_core::{BatchRecord, BatchState, Event as StoredEvent, StoreError};

use super::task::usage;

/// As long as a batch has not ended, some of it is left.
const NEARLY_ALL: f64 = 0.999;

/// A batch as clients see it.
pub(crate) fn batch(record: BatchRecord) -> Batch {
    Batch {
        progress: progress(&record),
        id: record.id.into(),
        owner_id: record.owner.into(),
        status: status(record.state),
        members: record.members,
        accepted: record.accepted,
        counts: record
            .counts
            .into_iter()
            .map(|(state, count)| (state.as_str().to_owned(), count))
            .collect(),
        usage: usage(record.spent.usage),
        cost_usd_micros: record.spent.cost_micros,
        created_at: Time::from_millis(record.created_ms),
        finished_at: record.finished_ms.map(Time::from_millis),
        cancel_reason: record.reason,
        metadata: record.metadata,
    }
}

fn progress(record: &BatchRecord) -> Progress {
    let total = record.total();
    let done = record.done.min(total);
    let unit = match record.turns_each {
        Some(_) => ProgressUnit::Turns,
        None => ProgressUnit::Tasks,
    };
    let fraction = if record.state.is_terminal() {
        1.0
    } else {
        (done as f64 / total.max(1) as f64).min(NEARLY_ALL)
    };
    Progress {
        done,
        total,
        unit,
        fraction,
    }
}

fn status(state: BatchState) -> BatchStatus {
    match state {
        BatchState::Filling => BatchStatus::Filling,
        BatchState::Running => BatchStatus::Running,
        BatchState::Cancelling => BatchStatus::Cancelling,
        BatchState::Completed => BatchStatus::Completed,
        BatchState::Cancelled => BatchStatus::Cancelled,
    }
}

/// An event of `batch` as clients see it.
///
/// # Errors
/// When its data is not JSON that this version reads.
pub(crate) fn batch_event(
    stored: &StoredEvent,
    batch: &BatchRecord,
) -> Result<BatchEvent, StoreError> {
    let data = serde_json::from_str(stored.data.get()).map_err(|error| StoreError::Corrupt {
        place: "batch event",
        detail: error.to_string(),
    })?;
    Ok(BatchEvent {
        seq: stored.seq,
        event_type: stored.event_type.clone(),
        at: Time::from_millis(stored.at_ms),
        batch_id: batch.id.as_str().to_owned(),
        owner_id: batch.owner.as_str().to_owned(),
        data,
    })
}
