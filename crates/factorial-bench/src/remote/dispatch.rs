//! One task at a time, as its client sees it.

use std::time::Instant;

use super::{Seen, Visit, seen};
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::{ends, follow};
use crate::stats::millis;

/// From the call that submits to the events of the start and of the end, all by the clock of this machine.
pub(super) async fn dispatch(visit: &Visit<'_>) -> Result<Seen, BenchError> {
    let (tasks, client) = (visit.options.tasks, visit.door.client()?);
    let (mut calls, mut starts, mut finishes) = (Vec::new(), Vec::new(), Vec::new());
    let mut ids = Vec::new();
    visit.progress.begin("one at a time", tasks);
    for done in 1..=tasks {
        let called = Instant::now();
        let id = visit.door.submit(&client, &visit.task()).await?;
        calls.push(millis(called.elapsed()));
        let mut start = None;
        let reading = follow(&client, &id, visit.clock, |event| {
            if event.event_type == "run_started" {
                start = Some(millis(called.elapsed()));
            }
        });
        reading.await?;
        finishes.push(millis(called.elapsed()));
        starts.extend(start);
        ids.push(id);
        visit.progress.reach(done);
    }
    let ends = ends(&visit.door, &ids, visit.progress).await?;
    let mut measures = Measure::times("submit call", &calls, [None, None]);
    measures.extend(Measure::times(
        "submit to start seen",
        &starts,
        [None, None],
    ));
    measures.extend(Measure::times(
        "submit to end seen",
        &finishes,
        [None, None],
    ));
    Ok(seen(measures, &ends))
}
