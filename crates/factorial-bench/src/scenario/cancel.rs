//! Cancelling tasks that wait for their model: how long until the model's socket is closed.

use std::time::Instant;

use factorial_core::{AgentName, CancelOutcome, TaskState};
use factorial_sim::Stats;

use super::Done;
use super::waiting::Waiting;
use crate::delivery::{Expected, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::MODEL_AGENT;
use crate::stage::Stage;
use crate::stats::millis;

/// What the slowest of a hundred may take, ms.
const MOST_P99: f64 = 20.0;

/// Cancels one running task after the other, with all that are left still running.
pub(super) async fn cancel(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let tasks = stage.options.tasks;
    let waiting = Waiting::start(stage, &agent).await?;

    stage.progress.begin("cancelling", tasks);
    let (mut answers, mut closes) = (Vec::new(), Vec::new());
    for (id, closed) in waiting.ids.iter().zip(1..) {
        let called = Instant::now();
        let outcome = stage.store.cancel(id, None).await?;
        answers.push(millis(called.elapsed()));
        if outcome != CancelOutcome::Cancelled {
            return Err(BenchError::Delivery(format!("cancel of {id}: {outcome:?}")));
        }
        let is_closed = move |stats: &Stats| stats.closed_early >= closed;
        let at = waiting.until(closed - 1, is_closed).await?;
        closes.push(millis(at.saturating_duration_since(called)));
        stage.progress.reach(closed);
    }
    check(
        &stage.store,
        &agent,
        &waiting.ids,
        Expected::once(TaskState::Cancelled),
    )
    .await?;
    let mut measures = Measure::times("cancel call", &answers, [None, None]);
    measures.extend(Measure::times(
        "cancel to closed socket",
        &closes,
        [None, Some(MOST_P99)],
    ));
    measures.extend(waiting.worker.peak_memory());
    waiting.worker.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
