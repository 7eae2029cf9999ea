//! Steering tasks that wait for their model, with an interrupt: how long until the model has the next request.

use std::time::Instant;

use factorial_core::{AgentName, InputMessage, Role, Steer, SteerOutcome, TaskState};
use factorial_sim::Stats;

use super::Done;
use super::waiting::Waiting;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::MODEL_AGENT;
use crate::stage::Stage;
use crate::stats::millis;

/// What the slowest of a hundred may take, ms.
const MOST_P99: f64 = 20.0;
/// Has the model answer at once, and end the run.
const MESSAGE: &str = "[[sim:latency_ms=0]][[sim:noop]]enough";

/// Interrupts one running task after the other, with all that are left still waiting.
pub(super) async fn steer(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let tasks = stage.options.tasks;
    let waiting = Waiting::start(stage, &agent).await?;
    let messages = [InputMessage {
        role: Role::User,
        content: MESSAGE.to_owned(),
    }];
    let steer = Steer {
        messages: &messages,
        interrupt: true,
        client_id: "bench",
    };

    stage.progress.begin("steering", tasks);
    let (mut answers, mut requests) = (Vec::new(), Vec::new());
    for (id, steered) in waiting.ids.iter().zip(1..) {
        let called = Instant::now();
        let outcome = stage.store.steer(id, &steer).await?;
        answers.push(millis(called.elapsed()));
        if !matches!(outcome, SteerOutcome::Accepted(_)) {
            return Err(BenchError::Delivery(format!("steer of {id}: {outcome:?}")));
        }
        let has_come = move |stats: &Stats| stats.total >= tasks + steered;
        let at = waiting.until(steered - 1, has_come).await?;
        requests.push(millis(at.saturating_duration_since(called)));
        stage.progress.reach(steered);
    }
    all_ended(&stage.store, &agent, tasks, &waiting.worker, stage.progress).await?;
    check(
        &stage.store,
        &agent,
        &waiting.ids,
        Expected::once(TaskState::Completed),
    )
    .await?;
    let asked = waiting.sim.stats().total;
    if asked != 2 * tasks {
        let text = format!(
            "{tasks} tasks asked the model {asked} times, not {}",
            2 * tasks
        );
        return Err(BenchError::Delivery(text));
    }
    let mut measures = Measure::times("steer call", &answers, [None, None]);
    measures.extend(Measure::times(
        "steer to next request",
        &requests,
        [None, Some(MOST_P99)],
    ));
    measures.extend(waiting.worker.peak_memory());
    waiting.worker.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
