//! Many slow model calls at once in one worker process: how much longer they take together than one does alone.

use std::time::Duration;

use factorial_core::{AgentName, TaskState};
use factorial_sim::{Sim, SimConfig};

use super::{Done, first_claim_to_last_end};
use crate::aim::Aim;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::MODEL_AGENT;
use crate::stage::Stage;
use crate::stats::each;
use crate::submit::{self, Load};

/// Of the time of all calls to that of one.
const MOST_RATIO: f64 = 1.15;
/// 400 MB.
const MOST_MIB: f64 = 381.0;

/// Queues as many tasks as there are slots times however many rounds, then starts the worker. No lease may be lost:
/// a second attempt fails the check.
pub(super) async fn inflight(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let (tasks, slots) = (stage.options.tasks, stage.options.concurrency);
    let latency = stage.options.model_latency;
    let config = SimConfig {
        history: 0,
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    let query = format!(
        "[[sim:noop]][[sim:latency_ms={}]]{}",
        latency.as_millis(),
        stage.payload()
    );
    stage.progress.begin("filling the queue", tasks);
    let ids = stage.ids(tasks);
    let load = Load::new(&agent, query);
    let filled = submit::through_store(&stage.store, &load, ids, 48, stage.progress).await?;
    let before = stage.server.sample().await?;
    stage.progress.begin("model calls", tasks);
    let worker = stage.worker(slots, Some(sim.base_url())).await?;
    all_ended(&stage.store, &agent, tasks, &worker, stage.progress).await?;
    let after = stage.server.sample().await?;
    let cpu = worker.cpu_us();
    let records = check(
        &stage.store,
        &agent,
        &filled.ids,
        Expected::once(TaskState::Completed),
    )
    .await?;

    let took = first_claim_to_last_end(&records).as_secs_f64();
    let rounds = tasks.div_ceil(slots as u64);
    let ideal = ideal(latency, rounds).as_secs_f64();
    let mut measures = vec![
        Measure::new("all calls", "s", took),
        Measure::new("ideal", "s", ideal),
        Measure::new("all calls / ideal", "×", took / ideal.max(f64::EPSILON))
            .aim(Aim::AtMost(MOST_RATIO)),
    ];
    let peak = crate::stats::number(sim.stats().peak);
    measures.push(Measure::new("calls at once, peak", "calls", peak));
    if let Some(cpu) = cpu {
        measures.push(Measure::new("worker cpu", "µs/task", each(cpu, tasks)));
    }
    measures.extend(after.cost_since(&before, tasks));
    let memory = worker.peak_memory();
    measures.extend(memory.map(|memory| memory.aim(Aim::AtMost(MOST_MIB))));
    worker.stop().await?;
    sim.stop().await;
    Ok(Done {
        measures,
        checked: tasks,
    })
}

/// So many calls after one another.
fn ideal(latency: Duration, rounds: u64) -> Duration {
    latency.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
}
