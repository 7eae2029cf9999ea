//! Waiting for the end of tasks, and the check that every one of them ended exactly once.

use std::collections::HashSet;
use std::time::Duration;

use factorial_core::{AgentName, Store, TaskId, TaskRecord, TaskState};
use tokio::time::Instant;

use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::progress::Progress;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Nothing ends for so long: it never will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records that are read at once.
const PAGE: usize = 500;

/// Waits until `tasks` tasks of an agent have ended, however.
///
/// # Errors
/// When nothing ends for a while.
pub(crate) async fn all_ended(
    store: &Store,
    agent: &AgentName,
    tasks: u64,
    worker: &RoleProcess,
    progress: &dyn Progress,
) -> Result<(), BenchError> {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let counts = store.counts().await?;
        let ended = counts
            .iter()
            .filter(|((of, state), _)| of == agent && state.is_terminal());
        let done = ended.map(|(_, n)| n).sum();
        progress.reach(done);
        if done >= tasks {
            return Ok(());
        }
        if done > last {
            (last, since) = (done, Instant::now());
        } else if since.elapsed() > PATIENCE {
            return Err(BenchError::Stalled {
                seconds: PATIENCE.as_secs(),
                done,
                tasks,
                log: worker.log_tail(),
            });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Checks that the tasks of an agent are these and no others, each once, all in `state`; that as many were accepted and
/// ended as there are; and that none took more than one attempt. Gives their records.
///
/// # Errors
/// [`BenchError::Delivery`] says what is wrong.
pub(crate) async fn check(
    store: &Store,
    agent: &AgentName,
    ids: &[TaskId],
    state: TaskState,
) -> Result<Vec<TaskRecord>, BenchError> {
    let wrong = |text: String| Err(BenchError::Delivery(text));
    let unique: HashSet<&TaskId> = ids.iter().collect();
    if unique.len() != ids.len() {
        return wrong(format!(
            "{} ids, {} of them unique",
            ids.len(),
            unique.len()
        ));
    }
    let tasks = ids.len() as u64;
    for ((of, in_state), count) in store.counts().await? {
        let expected = if of == *agent && in_state == state {
            tasks
        } else {
            0
        };
        if count != expected {
            return wrong(format!(
                "{count} tasks of {of} are {in_state}, not {expected}"
            ));
        }
    }
    let buckets = store.timeline(agent).await?;
    let happened = |what: &str| -> u64 { buckets.iter().filter_map(|b| b.counts.get(what)).sum() };
    let if_it = |is: bool| if is { tasks } else { 0 };
    for (what, expected) in [
        ("enqueued", tasks),
        ("claimed", if_it(state.is_terminal())),
        ("completed", if_it(state == TaskState::Completed)),
        ("failed", if_it(state == TaskState::Failed)),
        ("cancelled", if_it(state == TaskState::Cancelled)),
        ("recovered", 0),
        ("retried", 0),
    ] {
        if happened(what) != expected {
            return wrong(format!(
                "{} tasks were {what}, not {expected}",
                happened(what)
            ));
        }
    }
    let mut records = Vec::with_capacity(ids.len());
    let attempts = u32::from(state.is_terminal());
    for page in ids.chunks(PAGE) {
        for (id, record) in page.iter().zip(store.tasks(page).await?) {
            let Some(record) = record else {
                return wrong(format!("task {id} is gone"));
            };
            if record.state != state || record.attempts != attempts {
                let (is, had) = (record.state, record.attempts);
                return wrong(format!("task {id} is {is} after {had} attempts"));
            }
            records.push(record);
        }
    }
    Ok(records)
}
