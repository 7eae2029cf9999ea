//! Callers that each have one call at a time, and what came of their calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use factorial_core::TaskId;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::error::BenchError;
use crate::progress::Progress;
use crate::report::Measure;
use crate::stats::{millis, rate};

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

    /// Percentiles of the calls, their names starting with `what`; `p99` is at most so many milliseconds, if all is well.
    pub(crate) fn latency(&self, what: &str, p99: Option<f64>) -> Vec<Measure> {
        Measure::times(what, &self.latencies, [None, p99])
    }
}

/// Every caller calls again as soon as it has its answer, until `count` calls have been made. A call is told which one
/// it is, and gives the tasks that it was about and how long it took.
pub(crate) async fn at_the_same_time<C, F>(
    callers: impl IntoIterator<Item = C>,
    count: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError>
where
    C: FnMut(usize) -> F + Send + 'static,
    F: Future<Output = Result<(Vec<TaskId>, Duration), BenchError>> + Send,
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
        for (ids, took) in ended?? {
            submitted.ids.extend(ids);
            submitted.latencies.push(millis(took));
        }
        submitted.took = started.elapsed();
    }
    progress.reach(count as u64);
    Ok(submitted)
}
