//! From queue to end: tasks that do nothing, in one worker process, as fast as it can.

use factorial_core::{AgentName, TaskState};

use super::{Done, first_claim_to_last_end};
use crate::ceiling::Limit;
use crate::delivery::{all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::NOOP_AGENT;
use crate::stage::Stage;
use crate::stats::{each, rate};
use crate::submit;

/// Fills the queue first, then starts the worker. The rate is from the first claim to the last end, by the clock of
/// Redis; the cost is that of the whole life, enqueue included where it says so.
pub(super) async fn drain(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let (tasks, in_flight) = (stage.options.tasks, stage.options.concurrency);
    let empty = stage.server.sample().await?;
    stage.progress.begin("filling the queue", tasks);
    let filled = submit::through_store(
        &stage.store,
        &agent,
        stage.ids(tasks),
        &stage.payload(),
        in_flight,
        stage.progress,
    )
    .await?;
    let queued = stage.server.sample().await?;
    stage.progress.begin("draining", tasks);
    let worker = stage.worker(in_flight, None).await?;
    all_ended(&stage.store, &agent, tasks, &worker, stage.progress).await?;
    let ended = stage.server.sample().await?;
    let worker_cpu = worker.cpu_us();
    let records = check(&stage.store, &agent, &filled.ids, TaskState::Completed).await?;

    let took = first_claim_to_last_end(&records).as_secs_f64();
    let mut measures =
        vec![Measure::new("drain", "tasks/s", rate(tasks, took)).of(Limit::ConsumeGrouped)];
    measures.extend(ended.cost_since(&queued, tasks));
    let life = each(ended.cpu_us - empty.cpu_us, tasks);
    measures.push(Measure::new("redis cpu, whole life", "µs/task", life));
    if let Some(cpu) = worker_cpu {
        measures.push(Measure::new("worker cpu", "µs/task", each(cpu, tasks)));
    }
    measures.push(queued.memory_since(&empty, tasks));
    measures.push(ended.resident());
    measures.extend(worker.peak_memory());
    worker.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
