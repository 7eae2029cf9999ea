//! Handing tasks in, and having them run.

use factorial_core::TaskId;

use super::{Seen, Visit, seen};
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::{Ended, ends};
use crate::stats::rate;
use crate::submit::{Submitted, through_gateway};

/// How fast they are accepted, while the deployment runs them.
pub(super) async fn enqueue(visit: &Visit<'_>) -> Result<Seen, BenchError> {
    let submitted = submit(visit).await?;
    let ends = wait(visit, &submitted.ids).await?;
    let mut measures = vec![Measure::new("REST", "tasks/s", submitted.rate())];
    measures.extend(submitted.latency("REST call", None));
    Ok(seen(measures, &ends))
}

/// How fast they are run: from the first start to the last end, by the clock of Redis.
pub(super) async fn drain(visit: &Visit<'_>) -> Result<Seen, BenchError> {
    let submitted = submit(visit).await?;
    let ends = wait(visit, &submitted.ids).await?;
    let ms = |time: Option<factorial_api::Time>| time.map(factorial_api::Time::as_millis);
    let first = ends.iter().filter_map(|e| ms(e.task.started_at)).min();
    let last = ends.iter().filter_map(|e| ms(e.task.finished_at)).max();
    let took_ms = last.zip(first).map_or(1, |(last, first)| last - first);
    let seconds = std::time::Duration::from_millis(u64::try_from(took_ms).unwrap_or(1).max(1));
    let per_second = rate(ends.len() as u64, seconds.as_secs_f64());
    let measures = vec![
        Measure::new("drain", "tasks/s", per_second),
        Measure::new("accepted", "tasks/s", submitted.rate()),
    ];
    Ok(seen(measures, &ends))
}

async fn submit(visit: &Visit<'_>) -> Result<Submitted, BenchError> {
    let tasks = visit.options.tasks;
    let clients = visit.door.clients(visit.options.connections)?;
    let count = usize::try_from(tasks).unwrap_or(usize::MAX);
    visit.progress.begin("submitting", tasks);
    through_gateway(&visit.door, clients, &visit.task(), count, visit.progress).await
}

async fn wait(visit: &Visit<'_>, ids: &[TaskId]) -> Result<Vec<Ended>, BenchError> {
    visit
        .progress
        .begin("waiting for the ends", ids.len() as u64);
    ends(&visit.door, ids, visit.progress).await
}
