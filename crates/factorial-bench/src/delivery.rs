//! Waiting for tasks, and the check that every one of them is where it should be exactly once.

use std::collections::HashSet;
use std::time::Duration;

use factorial_core::{AgentName, Store, TaskId, TaskRecord, TaskState};
use tokio::time::Instant;

use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::progress::Progress;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Nothing happens for so long: it never will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records that are read at once.
const PAGE: usize = 500;

/// What became of each of the tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// The state of each.
    pub(crate) state: TaskState,
    /// Times that each was claimed.
    pub(crate) attempts: u32,
    /// Times that each lost its worker.
    pub(crate) recoveries: u32,
}

impl Expected {
    /// In this state after the one attempt that it takes to get there.
    pub(crate) fn once(state: TaskState) -> Self {
        Self {
            state,
            attempts: u32::from(state.is_terminal()),
            recoveries: 0,
        }
    }
}

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
    all_in(
        store,
        agent,
        TaskState::is_terminal,
        tasks,
        worker,
        progress,
    )
    .await
}

/// Waits until `tasks` tasks of an agent are in such a state.
///
/// # Errors
/// When their number does not grow for a while.
pub(crate) async fn all_in(
    store: &Store,
    agent: &AgentName,
    state: impl Fn(TaskState) -> bool,
    tasks: u64,
    worker: &RoleProcess,
    progress: &dyn Progress,
) -> Result<(), BenchError> {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let counts = store.counts().await?;
        let there = counts
            .iter()
            .filter(|((of, is), _)| of == agent && state(*is));
        let done = there.map(|(_, n)| n).sum();
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

/// Checks that the tasks of an agent are these and no others, each once, all as expected; and that as many were
/// accepted, claimed, recovered and ended as that takes. Gives their records.
///
/// # Errors
/// [`BenchError::Delivery`] says what is wrong.
pub(crate) async fn check(
    store: &Store,
    agent: &AgentName,
    ids: &[TaskId],
    expected: Expected,
) -> Result<Vec<TaskRecord>, BenchError> {
    unique(ids)?;
    let (tasks, state) = (ids.len() as u64, expected.state);
    for ((of, in_state), count) in store.counts().await? {
        let wanted = if of == *agent && in_state == state {
            tasks
        } else {
            0
        };
        if count != wanted {
            return wrong(format!(
                "{count} tasks of {of} are {in_state}, not {wanted}"
            ));
        }
    }
    let if_it = |is: TaskState| if is == state { tasks } else { 0 };
    let happened = [
        ("enqueued", tasks),
        ("claimed", tasks * u64::from(expected.attempts)),
        ("completed", if_it(TaskState::Completed)),
        ("failed", if_it(TaskState::Failed)),
        ("cancelled", if_it(TaskState::Cancelled)),
        ("recovered", tasks * u64::from(expected.recoveries)),
        ("retried", 0),
    ];
    counted(store, agent, &happened).await?;
    let mut records = Vec::with_capacity(ids.len());
    for page in ids.chunks(PAGE) {
        for (id, record) in page.iter().zip(store.tasks(page).await?) {
            let Some(record) = record else {
                return wrong(format!("task {id} is gone"));
            };
            if record.state != state || record.attempts != expected.attempts {
                let (is, had) = (record.state, record.attempts);
                return wrong(format!("task {id} is {is} after {had} attempts"));
            }
            records.push(record);
        }
    }
    Ok(records)
}

/// Checks that no id is there twice.
///
/// # Errors
/// [`BenchError::Delivery`] if one is.
pub(crate) fn unique(ids: &[TaskId]) -> Result<(), BenchError> {
    let unique: HashSet<&TaskId> = ids.iter().collect();
    if unique.len() == ids.len() {
        Ok(())
    } else {
        wrong(format!(
            "{} ids, {} of them unique",
            ids.len(),
            unique.len()
        ))
    }
}

/// Checks what the timeline of an agent has counted in all.
///
/// # Errors
/// [`BenchError::Delivery`] names the first that differs.
pub(crate) async fn counted(
    store: &Store,
    agent: &AgentName,
    expected: &[(&str, u64)],
) -> Result<(), BenchError> {
    let buckets = store.timeline(agent).await?;
    for (what, expected) in expected {
        let happened: u64 = buckets.iter().filter_map(|b| b.counts.get(*what)).sum();
        if happened != *expected {
            return wrong(format!(
                "{happened} tasks of {agent} were {what}, not {expected}"
            ));
        }
    }
    Ok(())
}

fn wrong<T>(text: String) -> Result<T, BenchError> {
    Err(BenchError::Delivery(text))
}
