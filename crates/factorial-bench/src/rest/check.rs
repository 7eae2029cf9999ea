//! The end of tasks, and the check that each ended exactly once, as the gateway tells it.

use std::time::{Duration, Instant};

use factorial_api::{Event, Task, TaskStatus};
use factorial_client::Client;
use factorial_core::TaskId;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::door::Door;
use crate::delivery::unique;
use crate::error::BenchError;
use crate::progress::Progress;

/// Tasks that are asked about at once.
const AT_ONCE: usize = 32;
/// How long a task may take to its end.
const PATIENCE: Duration = Duration::from_secs(600);
/// Events of a page.
const PAGE: u32 = 500;

/// A task that has ended once.
pub(crate) struct Ended {
    pub(crate) task: Task,
    /// All of its log.
    pub(crate) events: Vec<Event>,
    /// When its end was known here.
    pub(crate) known: Instant,
}

/// Waits for the end of all of them, and checks that each ended once.
///
/// # Errors
/// [`BenchError::Delivery`] when one did not.
pub(crate) async fn ends(
    door: &Door,
    ids: &[TaskId],
    progress: &dyn Progress,
) -> Result<Vec<Ended>, BenchError> {
    unique(ids)?;
    let client = door.patient_client()?;
    let ends = stream::iter(ids.to_vec()).map(|id| {
        let (client, door) = (client.clone(), door.clone());
        async move { end(&door, &client, &id).await }
    });
    let mut ends = ends.buffer_unordered(AT_ONCE);
    let mut all = Vec::with_capacity(ids.len());
    while let Some(ended) = ends.try_next().await? {
        all.push(ended);
        progress.reach(all.len() as u64);
    }
    Ok(all)
}

/// Waits for the end of one, and checks that there is one: that its log has no gap, that the last event says so and no
/// other does, and that the record agrees.
///
/// # Errors
/// [`BenchError::Delivery`] when something is not so.
pub(crate) async fn end(door: &Door, client: &Client, id: &TaskId) -> Result<Ended, BenchError> {
    let wrong = |text: String| Err(BenchError::Delivery(format!("task {id} {text}")));
    let result = client.wait_result(id.as_str(), Some(PATIENCE)).await?;
    if !result.status.is_terminal() {
        let seconds = PATIENCE.as_secs();
        return wrong(format!("is {} after {seconds} s", result.status.as_str()));
    }
    let known = Instant::now();
    door.ended(id);
    let task = client.task(id.as_str()).await?;
    let events = log(client, id).await?;
    let gap = events.iter().zip(1..).find(|(e, seq)| e.seq != *seq);
    if let Some((event, seq)) = gap {
        return wrong(format!("has event {} at place {seq} of its log", event.seq));
    }
    let ends = events.iter().filter(|e| is_end(&e.event_type)).count();
    let last = events.last().map_or("", |e| e.event_type.as_str());
    if ends != 1 || last != end_event(task.status) || task.status != result.status {
        let status = task.status.as_str();
        return wrong(format!("is {status}, ended {ends} times, and last {last}"));
    }
    Ok(Ended {
        task,
        events,
        known,
    })
}

async fn log(client: &Client, id: &TaskId) -> Result<Vec<Event>, BenchError> {
    let mut events = Vec::new();
    loop {
        let after = events.last().map_or(0, |event: &Event| event.seq);
        let page = client.event_page(id.as_str(), after, Some(PAGE)).await?;
        let more = page.has_more && !page.data.is_empty();
        events.extend(page.data);
        if !more {
            return Ok(events);
        }
    }
}

pub(super) fn is_end(event_type: &str) -> bool {
    matches!(event_type, "run_completed" | "run_failed" | "run_cancelled")
}

fn end_event(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Completed => "run_completed",
        TaskStatus::Failed => "run_failed",
        TaskStatus::Cancelled => "run_cancelled",
        _ => "no end",
    }
}
