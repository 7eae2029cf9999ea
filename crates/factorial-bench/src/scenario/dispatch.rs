//! Idle latency: one task at a time, to a worker in another process that has nothing else to do.

use std::time::Duration;

use factorial_core::{AgentName, TaskId, TaskState};
use factorial_sim::{Sim, SimConfig};
use tokio::time::Instant;

use super::Done;
use crate::delivery::{Expected, check};
use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::report::Measure;
use crate::rest::Door;
use crate::role::{MODEL_AGENT, STAMP_AGENT};
use crate::stage::Stage;
use crate::submit::{OWNER, enqueue, new_task};

/// Tasks that the worker could run at once, as its defaults are.
const SLOTS: usize = 25;
/// After a task, until the worker waits for the next one.
const PAUSE: Duration = Duration::from_millis(5);
/// Between two looks at a task.
const LOOK: Duration = Duration::from_millis(2);
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// From the call that enqueues to the first line of the agent.
pub(super) async fn to_agent(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(STAMP_AGENT)?;
    let worker = stage.worker(SLOTS, None).await?;
    let ids = stage.ids(stage.options.tasks);
    stage
        .progress
        .begin("enqueue to agent", stage.options.tasks);
    let mut latencies = Vec::with_capacity(ids.len());
    for (id, done) in ids.iter().zip(1..) {
        let task = new_task(id.clone(), &agent, stage.payload())?;
        tokio::time::sleep(PAUSE).await;
        let called = (stage.surroundings.clock)();
        enqueue(&stage.store, &task).await?;
        ended(stage, id, &worker).await?;
        let output = stage.store.output(id).await?;
        let begun: Option<u64> = output.and_then(|o| o.as_str()?.parse().ok());
        let Some(begun) = begun else {
            return Err(BenchError::Delivery(format!("task {id} has no time")));
        };
        latencies.push(late_by(called, begun));
        stage.progress.reach(done);
    }
    check(
        &stage.store,
        &agent,
        &ids,
        Expected::once(TaskState::Completed),
    )
    .await?;
    worker.stop().await?;
    Ok(done("enqueue to agent", &latencies, [0.6, 1.5]))
}

/// From the REST call to the arrival of the request at the model's socket.
pub(super) async fn to_model(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let sim = Sim::start(SimConfig::default())
        .await
        .map_err(BenchError::Model)?;
    let worker = stage.worker(SLOTS, Some(sim.base_url())).await?;
    let gateway = stage.gateway().await?;
    let door = Door::new(gateway.url(), None, OWNER);
    let client = door.client()?;
    let tasks = stage.options.tasks;
    stage.progress.begin("REST to model", tasks);
    let (mut latencies, mut ids) = (Vec::new(), Vec::new());
    for done in 1..=tasks {
        let task = door.task(agent.as_str(), format!("[[sim:noop]]{}", stage.payload()));
        tokio::time::sleep(PAUSE).await;
        let called = (stage.surroundings.clock)();
        let id = door.submit(&client, &task).await?;
        ended(stage, &id, &worker).await?;
        let asked = sim.requests();
        let mut asked = asked
            .iter()
            .filter(|r| r.task.as_deref() == Some(id.as_str()));
        let (Some(first), None) = (asked.next(), asked.next()) else {
            let text = format!("task {id} has not asked the model once");
            return Err(BenchError::Delivery(text));
        };
        latencies.push(late_by(called, first.arrival_unix_us));
        sim.reset();
        ids.push(id);
        stage.progress.reach(done);
    }
    check(
        &stage.store,
        &agent,
        &ids,
        Expected::once(TaskState::Completed),
    )
    .await?;
    gateway.stop().await?;
    worker.stop().await?;
    sim.stop().await;
    Ok(done("REST to model", &latencies, [1.5, 5.0]))
}

/// `aims`: upper bounds of p50 and p99, ms.
fn done(what: &str, latencies: &[f64], aims: [f64; 2]) -> Done {
    Done {
        measures: Measure::times(what, latencies, aims.map(Some)),
        checked: latencies.len() as u64,
    }
}

/// In milliseconds, of two times in microseconds.
fn late_by(called: u64, begun: u64) -> f64 {
    Duration::from_micros(begun.saturating_sub(called)).as_secs_f64() * 1_000.0
}

async fn ended(stage: &Stage<'_>, id: &TaskId, worker: &RoleProcess) -> Result<(), BenchError> {
    let started = Instant::now();
    loop {
        // First, so that nothing is asked while the task is on its way.
        tokio::time::sleep(LOOK).await;
        let record = stage.store.task(id).await?;
        if record.is_some_and(|record| record.state.is_terminal()) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(BenchError::Stalled {
                seconds: PATIENCE.as_secs(),
                done: 0,
                tasks: 1,
                log: worker.log_tail(),
            });
        }
    }
}
