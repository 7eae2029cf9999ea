//! Through the store, in this process.

use std::sync::Arc;

use factorial_core::{Enqueued, NewTask, Store, TaskId};
use tokio::time::Instant;

use super::callers::{Submitted, at_the_same_time};
use super::task::Load;
use crate::error::BenchError;
use crate::progress::Progress;

/// Accepts a task.
///
/// # Errors
/// When it is refused.
pub(crate) async fn enqueue(store: &Store, task: &NewTask) -> Result<(), BenchError> {
    accepted(store.enqueue(task).await?)
}

fn accepted(outcome: Enqueued) -> Result<(), BenchError> {
    match outcome {
        Enqueued::Accepted(..) => Ok(()),
        other => Err(BenchError::Refused(format!("{other:?}"))),
    }
}

/// Accepts tasks, one a call, `at_once` calls at a time.
///
/// # Errors
/// The first that is not accepted.
pub(crate) async fn through_store(
    store: &Store,
    load: &Load,
    ids: Vec<TaskId>,
    at_once: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError> {
    in_bulk(store, load, ids, 1, at_once, progress).await
}

/// Accepts tasks, `group` a call, `at_once` calls at a time.
///
/// # Errors
/// The first that is not accepted.
pub(crate) async fn in_bulk(
    store: &Store,
    load: &Load,
    ids: Vec<TaskId>,
    group: usize,
    at_once: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError> {
    let group = group.max(1);
    let calls = ids.len().div_ceil(group);
    let (ids, load): (Arc<[TaskId]>, Arc<Load>) = (ids.into(), Arc::new(load.clone()));
    let callers = (0..at_once.max(1)).map(|_| {
        let (store, ids, load) = (store.clone(), Arc::clone(&ids), Arc::clone(&load));
        move |index: usize| {
            let (store, ids, load) = (store.clone(), Arc::clone(&ids), Arc::clone(&load));
            async move {
                let from = index * group;
                let of_call = ids.iter().enumerate().skip(from).take(group);
                let tasks = of_call
                    .map(|(index, id)| load.task(index, id.clone()))
                    .collect::<Result<Vec<_>, _>>()?;
                let started = Instant::now();
                match tasks.as_slice() {
                    [task] => enqueue(&store, task).await?,
                    tasks => enqueue_all(&store, tasks).await?,
                }
                let took = started.elapsed();
                Ok((tasks.into_iter().map(|task| task.id).collect(), took))
            }
        }
    });
    at_the_same_time(callers, calls, progress).await
}

async fn enqueue_all(store: &Store, tasks: &[NewTask]) -> Result<(), BenchError> {
    for outcome in store.enqueue_all(tasks).await? {
        accepted(outcome?)?;
    }
    Ok(())
}
