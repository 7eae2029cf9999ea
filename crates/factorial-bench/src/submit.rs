//! Enqueues tasks, many calls at once, and times every call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use factorial_api::SubmitTask;
use factorial_client::{Client, RetryPolicy};
use factorial_core::{
    AgentName, Enqueued, Entry, NewTask, OwnerId, Priority, Start, Store, TaskId,
};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::BenchError;
use crate::progress::Progress;
use crate::report::Measure;
use crate::stats::{millis, percentile, rate};

/// Whose tasks they are.
const OWNER: &str = "bench";
/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(100);

/// What came of it.
pub(crate) struct Submitted {
    /// In no order.
    pub(crate) ids: Vec<TaskId>,
    /// Of every call, ms.
    pub(crate) latencies: Vec<f64>,
    /// From the first call to the last answer.
    pub(crate) took: Duration,
}

impl Submitted {
    /// Tasks a second.
    pub(crate) fn rate(&self) -> f64 {
        rate(self.ids.len() as u64, self.took.as_secs_f64())
    }

    /// Percentiles of the calls, their names starting with `what`.
    pub(crate) fn latency(&self, what: &str) -> Vec<Measure> {
        [("p50", 0.5), ("p99", 0.99), ("max", 1.0)]
            .into_iter()
            .map(|(name, share)| {
                let value = percentile(&self.latencies, share);
                Measure::new(format!("{what} {name}"), "ms", value)
            })
            .collect()
    }
}

/// A task for an agent of ours, to be started now.
///
/// # Errors
/// Never: the owner's name is valid.
pub(crate) fn new_task(
    id: TaskId,
    agent: &AgentName,
    query: String,
) -> Result<NewTask, BenchError> {
    Ok(NewTask {
        id,
        agent: agent.clone(),
        owner: OwnerId::new(OWNER)?,
        priority: Priority::DEFAULT,
        start: Start::Now,
        input: Entry::Input {
            messages: Vec::new(),
            query: Some(query),
            context: None,
        },
        previous: None,
        parent: None,
        batch: None,
        stream: false,
        deadline: None,
        limits: None,
        metadata: BTreeMap::new(),
        tools: None,
        trace: None,
        idempotency: None,
    })
}

/// The same as a client submits it.
pub(crate) fn submission(agent: &AgentName, query: String) -> SubmitTask {
    SubmitTask {
        agent: agent.to_string(),
        owner_id: OWNER.to_owned(),
        query: Some(query),
        ..SubmitTask::default()
    }
}

/// A client that tries every call once, with a connection of its own.
///
/// # Errors
/// When the URL cannot be used.
pub(crate) fn client(url: &str) -> Result<Client, BenchError> {
    Ok(Client::builder(url).retry(RetryPolicy::never()).build()?)
}

/// Accepts a task through the store.
///
/// # Errors
/// When it is refused.
pub(crate) async fn enqueue(store: &Store, task: &NewTask) -> Result<(), BenchError> {
    match store.enqueue(task).await? {
        Enqueued::Accepted(..) => Ok(()),
        other => Err(BenchError::Refused(format!("{other:?}"))),
    }
}

/// Accepts tasks through the store, `at_once` calls at a time.
///
/// # Errors
/// The first that is not accepted.
pub(crate) async fn through_store(
    store: &Store,
    agent: &AgentName,
    ids: Vec<TaskId>,
    payload: &str,
    at_once: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError> {
    let count = ids.len();
    let ids = Arc::new(ids);
    let callers = (0..at_once.max(1)).map(|_| {
        let (store, agent, ids, payload) = (
            store.clone(),
            agent.clone(),
            Arc::clone(&ids),
            payload.to_owned(),
        );
        move |index: usize| {
            let (store, ids) = (store.clone(), Arc::clone(&ids));
            let task = ids
                .get(index)
                .map(|id| new_task(id.clone(), &agent, payload.clone()));
            async move {
                let Some(task) = task.transpose()? else {
                    return Err(BenchError::Refused("no id".to_owned()));
                };
                let started = Instant::now();
                enqueue(&store, &task).await?;
                Ok((task.id, started.elapsed()))
            }
        }
    });
    at_the_same_time(callers, count, progress).await
}

/// Accepts tasks through the gateway at `url`, on so many connections.
///
/// # Errors
/// The first that is not accepted.
pub(crate) async fn through_gateway(
    url: &str,
    agent: &AgentName,
    count: usize,
    payload: &str,
    connections: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError> {
    let mut callers = Vec::with_capacity(connections);
    for _ in 0..connections.max(1) {
        let (client, task) = (client(url)?, submission(agent, payload.to_owned()));
        callers.push(move |_| {
            let (client, task) = (client.clone(), task.clone());
            async move {
                let started = Instant::now();
                let submitted = client.submit(&task, None).await?;
                let took = started.elapsed();
                Ok((submitted.task.id.parse()?, took))
            }
        });
    }
    at_the_same_time(callers, count, progress).await
}

/// Every caller calls again as soon as it has its answer, until `count` calls have been made.
async fn at_the_same_time<C, F>(
    callers: impl IntoIterator<Item = C>,
    count: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError>
where
    C: FnMut(usize) -> F + Send + 'static,
    F: Future<Output = Result<(TaskId, Duration), BenchError>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    let started = Instant::now();
    for mut call in callers {
        let next = Arc::clone(&next);
        running.spawn(async move {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok::<_, BenchError>(done);
                }
                done.push(call(index).await?);
            }
        });
    }
    let mut submitted = Submitted {
        ids: Vec::with_capacity(count),
        latencies: Vec::with_capacity(count),
        took: Duration::ZERO,
    };
    let mut look = tokio::time::interval(LOOK);
    loop {
        let ended = tokio::select! {
            ended = running.join_next() => ended,
            _ = look.tick() => {
                progress.reach(next.load(Ordering::Relaxed).min(count) as u64);
                continue;
            }
        };
        let Some(ended) = ended else { break };
        for (id, took) in ended?? {
            submitted.ids.push(id);
            submitted.latencies.push(millis(took));
        }
        submitted.took = started.elapsed();
    }
    progress.reach(count as u64);
    Ok(submitted)
}
