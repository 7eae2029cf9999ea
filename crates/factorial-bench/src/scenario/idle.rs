//! Nothing to do: what a worker process costs that waits.

use std::time::Duration;

use factorial_core::{AgentName, TaskState};
use tokio::time::{Instant, sleep};

use super::Done;
use crate::aim::Aim;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::NOOP_AGENT;
use crate::sample::Sample;
use crate::stage::Stage;
use crate::stats::number;
use crate::submit::{enqueue, new_task};

/// As the worker's defaults are.
const SLOTS: usize = 25;
/// After its start, until it does nothing but wait.
const SETTLE: Duration = Duration::from_secs(2);
/// Between two looks at the time.
const LOOK: Duration = Duration::from_millis(250);
/// Commands of a worker that waits, a second.
const MOST_COMMANDS: f64 = 2.0;
/// CPU of a worker that waits, % of a core.
const MOST_CPU: f64 = 0.5;

/// Looks at the server alone for a while, then with a worker that has nothing to do. A task at the end has to be run by
/// it: else it would not have waited but slept.
pub(super) async fn idle(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let lasts = stage.options.duration;
    stage.progress.begin("the server alone", seconds(lasts / 4));
    let (alone, for_alone) = look(stage, lasts / 4).await?;

    let worker = stage.worker(SLOTS, None).await?;
    sleep(SETTLE).await;
    stage
        .progress
        .begin("with a waiting worker", seconds(lasts));
    let worker_before = worker.cpu_us();
    let ([before, after], took) = look(stage, lasts).await?;
    let worker_after = worker.cpu_us();

    let ids = stage.ids(1);
    for id in &ids {
        enqueue(
            &stage.store,
            &new_task(id.clone(), &agent, stage.payload())?,
        )
        .await?;
    }
    all_ended(&stage.store, &agent, 1, &worker, stage.progress).await?;
    check(
        &stage.store,
        &agent,
        &ids,
        Expected::once(TaskState::Completed),
    )
    .await?;

    let commands = number(after.commands.saturating_sub(before.commands)) / took.as_secs_f64();
    let share = |cpu_us: f64, took: Duration| cpu_us / took.as_secs_f64() / 1e6 * 100.0;
    let mut measures = vec![
        Measure::new("redis commands", "commands/s", commands).aim(Aim::AtMost(MOST_COMMANDS)),
        Measure::new(
            "redis cpu",
            "% of a core",
            share(after.cpu_us - before.cpu_us, took),
        ),
        Measure::new(
            "redis cpu without a worker",
            "% of a core",
            share(alone[1].cpu_us - alone[0].cpu_us, for_alone),
        ),
    ];
    if let Some((before, after)) = worker_before.zip(worker_after) {
        let cpu = Measure::new("worker cpu", "% of a core", share(after - before, took));
        measures.push(cpu.aim(Aim::AtMost(MOST_CPU)));
    }
    measures.extend(worker.peak_memory());
    worker.stop().await?;
    Ok(Done {
        measures,
        checked: 1,
    })
}

/// The server before and after so long, and how long it was.
async fn look(stage: &Stage<'_>, lasts: Duration) -> Result<([Sample; 2], Duration), BenchError> {
    let before = stage.server.sample().await?;
    let started = Instant::now();
    while started.elapsed() < lasts {
        sleep(LOOK.min(lasts)).await;
        stage.progress.reach(seconds(started.elapsed()));
    }
    let took = started.elapsed();
    Ok(([before, stage.server.sample().await?], took))
}

fn seconds(duration: Duration) -> u64 {
    duration.as_secs().max(1)
}
