//! Many readers of the events of running tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use factorial_api::SubmitTask;
use factorial_core::TaskId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::door::Door;
use super::follow::{Followed, follow};
use crate::error::BenchError;
use crate::progress::Progress;
use crate::report::Measure;
use crate::stats::{number, rate};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(100);
/// No reader sees anything for so long: it never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the readers saw.
pub(crate) struct Streamed {
    pub(crate) ids: Vec<TaskId>,
    /// Seen by all readers together.
    pub(crate) events: u64,
    pub(crate) measures: Vec<Measure>,
}

/// How far the readers are.
#[derive(Default)]
struct Seen {
    readers: AtomicU64,
    events: AtomicU64,
    ended: AtomicU64,
}

/// Hands in `tasks` tasks, has `readers` of them in turn followed, calls `start` once every reader has its first event,
/// and waits until all have seen the end. What `start` gives is given back.
///
/// # Errors
/// [`BenchError::Delivery`] when a reader did not see every event once and in order, or two readers of a task differ.
pub(crate) async fn stream<T>(
    door: &Door,
    task: &SubmitTask,
    (tasks, readers): (u64, usize),
    clock: fn() -> u64,
    progress: &dyn Progress,
    start: impl AsyncFnOnce() -> Result<T, BenchError>,
) -> Result<(Streamed, T), BenchError> {
    let client = door.client()?;
    let mut ids = Vec::new();
    progress.begin("submitting", tasks);
    for done in 1..=tasks {
        ids.push(door.submit(&client, task).await?);
        progress.reach(done);
    }
    let seen = Arc::new(Seen::default());
    let mut following = JoinSet::new();
    // One at least for each task, so that the end of each is seen.
    let readers = readers.max(ids.len());
    progress.begin("readers", readers as u64);
    for (place, id) in (0..ids.len()).zip(&ids).cycle().take(readers) {
        let (client, id, seen) = (door.client()?, id.clone(), Arc::clone(&seen));
        following.spawn(async move {
            let hear = |seq| {
                seen.readers
                    .fetch_add(u64::from(seq == 1), Ordering::Relaxed);
                seen.events.fetch_add(1, Ordering::Relaxed);
            };
            let followed = follow(&client, &id, clock, |event| hear(event.seq)).await?;
            seen.ended.fetch_add(1, Ordering::Relaxed);
            Ok((place, followed))
        });
    }
    let mut lengths = vec![None; ids.len()];
    let mut late_ms = Vec::new();
    let all = readers as u64;
    watch(&mut following, &seen, &mut lengths, &mut late_ms, || {
        let there = seen.readers.load(Ordering::Relaxed);
        progress.reach(there);
        there >= all
    })
    .await?;
    let (started, before) = (Instant::now(), seen.events.load(Ordering::Relaxed));
    let kept = start().await?;
    progress.begin("streaming", all);
    watch(&mut following, &seen, &mut lengths, &mut late_ms, || {
        progress.reach(seen.ended.load(Ordering::Relaxed));
        false
    })
    .await?;
    let took = started.elapsed().as_secs_f64();
    for id in &ids {
        door.ended(id);
    }
    let events = seen.events.load(Ordering::Relaxed);
    let measures = vec![
        Measure::new("readers", "readers", number(all)),
        Measure::new("events seen", "events/s", rate(events - before, took)),
    ];
    let late = Measure::times("event to reader", &late_ms, [Some(5.0), Some(25.0)]);
    let streamed = Streamed {
        ids,
        events,
        measures: measures.into_iter().chain(late).collect(),
    };
    Ok((streamed, kept))
}

/// Until `enough`, or until all readers have ended. Keeps what they bring, and compares readers of one task.
async fn watch(
    following: &mut JoinSet<Result<(usize, Followed), BenchError>>,
    seen: &Seen,
    lengths: &mut [Option<u64>],
    late_ms: &mut Vec<f64>,
    enough: impl Fn() -> bool,
) -> Result<(), BenchError> {
    let (mut last, mut since) = (0, Instant::now());
    let mut look = tokio::time::interval(LOOK);
    while !enough() {
        let ended = tokio::select! {
            ended = following.join_next() => ended,
            _ = look.tick() => {
                let events = seen.events.load(Ordering::Relaxed);
                if events > last {
                    (last, since) = (events, Instant::now());
                } else if since.elapsed() > PATIENCE {
                    let seconds = PATIENCE.as_secs();
                    let text = format!("{} readers have seen nothing for {seconds} s", following.len());
                    return Err(BenchError::Delivery(text));
                }
                continue;
            }
        };
        let Some(ended) = ended else { break };
        let (place, followed) = ended??;
        late_ms.extend(followed.late_ms);
        let Some(length) = lengths.get_mut(place) else {
            continue;
        };
        if *length.get_or_insert(followed.events) != followed.events {
            let text = "two readers of one task have seen different logs";
            return Err(BenchError::Delivery(text.to_owned()));
        }
    }
    Ok(())
}
