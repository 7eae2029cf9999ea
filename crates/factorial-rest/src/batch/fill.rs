//! Accepts the members of a batch.
//!
//! Run by the submit handler in a task of its own, since a batch that has arrived as a whole does not depend on its client
//! any more. Invariant: the answer says how many members were accepted; a repeated request goes on where this one ended.

use std::{
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use factorial_api::{BatchLeft, BatchMember, BatchProblem};
use factorial_core::{
    BatchId, BatchRecord, BatchState, CancelBatchOutcome, Enqueued, Idempotency, NewBatch,
    OpenedBatch, StoreError,
};
use factorial_service::{ApiError, ErrorKind};
use futures::{StreamExt, stream};
use tokio::time::sleep;

use super::{intake::Prepared, member, settings::Settings};
use crate::{
    app::AppState,
    clock::any_partition,
    refusal::{no_batch, store_error},
    submission::KEEP_KEYS,
};

/// Members that are being accepted at once.
const IN_FLIGHT: usize = 64;
/// One call of a hundred thousand may be late without failing them all: tries, and the first of the doubling pauses between
/// them. Every call can be repeated.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const NOT_FILLED: &str = "not all members could be accepted";

/// A batch with all its members.
pub(crate) struct Filled {
    pub(crate) record: BatchRecord,
    /// The same request had opened it before.
    pub(crate) replayed: bool,
}

/// Why no more members were accepted.
enum Stop {
    Store(StoreError),
    Closed,
    Fault(ApiError),
}

/// Opens a batch, or finds the one of the same request, and accepts all members that are not there.
///
/// # Errors
/// `batch_incomplete` or `batch_closed` when some are missing; `idempotency_key_reused`; or the store failed before.
pub(crate) async fn fill(
    app: &AppState,
    mut batch: Prepared,
    key: Option<String>,
) -> Result<Filled, ApiError> {
    let owner = &batch.settings.owner;
    let key = key.map(|key| Idempotency::new(owner, &key, &batch.print, KEEP_KEYS));
    let keyed = key.is_some();
    let partitions = app.store.partitions();
    let partition = match &key {
        Some(key) => key.home(partitions),
        None => any_partition(partitions),
    };
    let new = NewBatch {
        id: BatchId::new(partition, app.clock.unique()),
        owner: owner.clone(),
        members: batch.members,
        turns_each: batch.settings.turns_each(),
        webhook: batch.settings.webhook.clone(),
        metadata: batch.settings.given.metadata.clone(),
        idempotency: key,
    };
    let (id, replayed) = match app.store.open_batch(&new).await.map_err(store_error)? {
        OpenedBatch::Opened => (new.id, false),
        OpenedBatch::KeyReused => return Err(ApiError::new(ErrorKind::IdempotencyKeyReused)),
        OpenedBatch::Exists(id) => {
            // Our own id: the call was repeated below us after its connection broke.
            let replayed = id != new.id;
            (id, replayed)
        }
    };
    if replayed && let Some(record) = settled(app, &id, batch.members).await? {
        return Ok(Filled { record, replayed });
    }
    let mut accepted = 0;
    let stop = match accept(app, &id, &mut batch, &mut accepted).await {
        Ok(record) => return Ok(Filled { record, replayed }),
        Err(stop) => stop,
    };
    let told = BatchProblem {
        id: Some(id.as_str().to_owned()),
        members: Some(batch.members),
        ..BatchProblem::default()
    };
    Err(match stop {
        Stop::Store(error) => incomplete(app, &id, told, accepted, keyed, error.into()).await,
        Stop::Fault(error) => {
            incomplete(app, &id, told, accepted, keyed, format!("{error:?}").into()).await
        }
        Stop::Closed => closed(app, &id, told).await,
    })
}

/// The batch of an earlier request, if it takes no more members.
async fn settled(
    app: &AppState,
    id: &BatchId,
    members: u64,
) -> Result<Option<BatchRecord>, ApiError> {
    let record = app.store.batch(id).await.map_err(store_error)?;
    let Some(record) = record else {
        return Err(
            no_batch().with_detail(format!("it was accepted as {id} and has expired since"))
        );
    };
    if record.state == BatchState::Filling {
        return Ok(None);
    }
    if record.accepted == members {
        return Ok(Some(record));
    }
    let told = BatchProblem {
        id: Some(id.as_str().to_owned()),
        members: Some(members),
        ..BatchProblem::default()
    };
    Err(closed_with(told, record.accepted))
}

/// Accepts what is not there yet, then seals the batch.
async fn accept(
    app: &AppState,
    id: &BatchId,
    batch: &mut Prepared,
    accepted: &mut u64,
) -> Result<BatchRecord, Stop> {
    let fault = |error| Stop::Fault(ApiError::internal(error));
    batch.spool.rewind().await.map_err(fault)?;
    let mut index = 0;
    loop {
        let records = batch.spool.read().await.map_err(fault)?;
        if records.is_empty() {
            break;
        }
        let first = index;
        index += records.len() as u64;
        accept_some(app, id, &batch.settings, first, records, accepted).await?;
    }
    let never = AtomicBool::new(false);
    let sealed = patiently(&never, || app.store.seal_batch(id, false));
    sealed.await.map_err(Stop::Store)?;
    let record = patiently(&never, || app.store.batch(id));
    let record = record.await.map_err(Stop::Store)?;
    record
        .filter(|record| record.accepted == batch.members)
        .ok_or(Stop::Closed)
}

/// Accepts members, many at once. After one that fails no other is sent, but all that were sent are waited for, so that
/// they can be counted.
async fn accept_some(
    app: &AppState,
    id: &BatchId,
    settings: &Settings,
    first: u64,
    records: Vec<Vec<u8>>,
    accepted: &mut u64,
) -> Result<(), Stop> {
    let stopped = AtomicBool::new(false);
    let mut outcomes = stream::iter(records.into_iter().zip(first..))
        .map(|(text, index)| {
            let stopped = &stopped;
            async move {
                if stopped.load(Ordering::Relaxed) {
                    return Ok(0);
                }
                let one = accept_one(app, id, settings, index, &text, stopped).await;
                if one.is_err() {
                    stopped.store(true, Ordering::Relaxed);
                }
                one.map(|()| 1)
            }
        })
        .buffer_unordered(IN_FLIGHT);
    let mut stop = None;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok(one) => *accepted += one,
            Err(error) => {
                stop.get_or_insert(error);
            }
        }
    }
    stop.map_or(Ok(()), Err)
}

async fn accept_one(
    app: &AppState,
    id: &BatchId,
    settings: &Settings,
    index: u64,
    text: &[u8],
    stopped: &AtomicBool,
) -> Result<(), Stop> {
    let fault = |error: String| Stop::Fault(ApiError::internal(error));
    let given: BatchMember = serde_json::from_slice(text).map_err(|e| fault(e.to_string()))?;
    // Judged before: only a start that lies a year ahead could be refused now, by a clock that was set back.
    let sound = member::judge(given, settings, app.clock.now_ms());
    let sound = sound.map_err(|errors| fault(format!("{errors:?}")))?;
    let mut task = sound
        .into_task(id.member(index), None)
        .map_err(Stop::Fault)?;
    task.batch = Some(id.clone());
    let outcome = patiently(stopped, || app.store.enqueue(&task)).await;
    match outcome.map_err(Stop::Store)? {
        Enqueued::Accepted(..) | Enqueued::Exists(_) => Ok(()),
        Enqueued::BatchClosed => Err(Stop::Closed),
        other => Err(fault(format!("a member was refused: {other:?}"))),
    }
}

/// Calls again while the store does not answer, for a few seconds, unless somebody has given up meanwhile.
async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    stopped: &AtomicBool,
    mut call: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(error) if error.is_unavailable() && !stopped.load(Ordering::Relaxed) => {
                sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    call().await
}

/// The store failed, or we did.
async fn incomplete(
    app: &AppState,
    id: &BatchId,
    told: BatchProblem,
    known: u64,
    keyed: bool,
    cause: Box<dyn std::error::Error + Send + Sync>,
) -> ApiError {
    let left = if keyed {
        BatchLeft::Resumable
    } else {
        match app.store.cancel_batch(id, Some(NOT_FILLED)).await {
            Ok(CancelBatchOutcome::Cancelled | CancelBatchOutcome::Finished(_)) => {
                BatchLeft::Cancelled
            }
            Ok(CancelBatchOutcome::NotFound) | Err(_) => BatchLeft::Open,
        }
    };
    let counted = app.store.batch(id).await.ok().flatten();
    let counted = counted.map(|record| record.accepted);
    ApiError::new(ErrorKind::BatchIncomplete)
        .with_batch(BatchProblem {
            accepted: Some(counted.unwrap_or(known)),
            accepted_exact: Some(counted.is_some()),
            left: Some(left),
            ..told
        })
        .caused_by(cause)
}

/// Somebody else ended the filling.
async fn closed(app: &AppState, id: &BatchId, told: BatchProblem) -> ApiError {
    match app.store.batch(id).await {
        Ok(Some(record)) => closed_with(told, record.accepted),
        Ok(None) => no_batch(),
        Err(error) => store_error(error),
    }
}

fn closed_with(told: BatchProblem, accepted: u64) -> ApiError {
    ApiError::new(ErrorKind::BatchClosed).with_batch(BatchProblem {
        accepted: Some(accepted),
        accepted_exact: Some(true),
        left: Some(BatchLeft::Closed),
        ..told
    })
}
