//! From queue to end: tasks that do nothing, in one worker process, as fast as it can.

use factorial_core::{AgentName, TaskState};

use super::{Done, first_claim_to_last_end};
use crate::aim::Aim;
use crate::ceiling::Limit;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::NOOP_AGENT;
use crate::sample::Sample;
use crate::stage::Stage;
use crate::stats::{each, rate};
use crate::submit::{self, Load};

/// Of the ceiling with 25 tasks a call.
const LEAST_SHARE: f64 = 0.6;
/// CPU of Redis for accepting, claiming and finishing a task, µs.
const MOST_LIFE: f64 = 45.0;
/// Memory of a queued task, B.
pub(super) const MOST_MEMORY: f64 = 650.0;

/// Fills the queue first, then starts the worker. The rate is from the first claim to the last end, by the clock of
/// Redis; the cost is that of the whole life, enqueue included where it says so.
pub(super) async fn drain(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let (tasks, in_flight) = (stage.options.tasks, stage.options.concurrency);
    let at_first = stage.server.shards().await?;
    let empty = at_first.iter().sum();
    stage.progress.begin("filling the queue", tasks);
    let filled = submit::through_store(
        &stage.store,
        &Load::new(&agent, stage.payload()),
        stage.ids(tasks),
        in_flight,
        stage.progress,
    )
    .await?;
    let queued = stage.server.sample().await?;
    stage.progress.begin("draining", tasks);
    let worker = stage.worker(in_flight, None).await?;
    all_ended(&stage.store, &agent, tasks, &worker, stage.progress).await?;
    let at_last = stage.server.shards().await?;
    let ended: Sample = at_last.iter().sum();
    let worker_cpu = worker.cpu_us();
    let records = check(
        &stage.store,
        &agent,
        &filled.ids,
        Expected::once(TaskState::Completed),
    )
    .await?;

    let took = first_claim_to_last_end(&records).as_secs_f64();
    let drain = Measure::new("drain", "tasks/s", rate(tasks, took)).of(Limit::ConsumeGrouped);
    let mut measures = vec![drain.aim(Aim::ShareAtLeast(LEAST_SHARE))];
    measures.extend(ended.cost_since(&queued, tasks));
    let life = ended.cpu_since(&empty, tasks);
    let life = Measure::new("redis cpu, whole life", "µs/task", life);
    measures.push(life.aim(Aim::AtMost(MOST_LIFE)));
    measures.extend(Sample::unevenness(&at_last, &at_first));
    if let Some(cpu) = worker_cpu {
        measures.push(Measure::new("worker cpu", "µs/task", each(cpu, tasks)));
    }
    let memory = queued.memory_since(&empty, tasks);
    measures.push(memory.aim(Aim::AtMost(MOST_MEMORY)));
    measures.push(ended.resident());
    measures.extend(worker.peak_memory());
    worker.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
