//! Accepting tasks that nobody takes: what a submission costs, through the store and through the REST interface.

use factorial_core::{AgentName, TaskState};

use super::Done;
use super::drain::MOST_MEMORY;
use crate::aim::Aim;
use crate::ceiling::Limit;
use crate::delivery::{Expected, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::Door;
use crate::role::NOOP_AGENT;
use crate::stage::Stage;
use crate::submit::{self, Load, OWNER, Submitted};

/// Tasks of a call in bulk.
const GROUP: usize = 50;
/// Of the ceiling, through the store.
const LEAST_SHARE: f64 = 0.85;
/// In bulk, compared with one a call.
const LEAST_BULK: f64 = 1.5;
/// Through REST, a second.
const LEAST_REST: f64 = 12_000.0;
/// A REST call, ms.
const MOST_REST_P99: f64 = 15.0;

/// Through the store, in this process, one task a call.
pub(super) async fn through_store(stage: &Stage<'_>) -> Result<Done, BenchError> {
    stage
        .progress
        .begin("enqueue through the store", stage.options.tasks);
    let (submitted, cost) = in_process(stage, 1).await?;
    let rate = Measure::new("store", "tasks/s", submitted.rate()).of(Limit::Enqueue);
    let mut measures = vec![rate.aim(Aim::ShareAtLeast(LEAST_SHARE))];
    measures.extend(submitted.latency("store call", None));
    measures.extend(cost);
    Ok(Done {
        measures,
        checked: stage.options.tasks,
    })
}

/// The same, many tasks a call.
pub(super) async fn in_bulk(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let calls = stage.options.tasks.div_ceil(GROUP as u64);
    stage.progress.begin("enqueue in bulk", calls);
    let (submitted, cost) = in_process(stage, GROUP).await?;
    let mut measures =
        vec![Measure::new("bulk", "tasks/s", submitted.rate()).of(Limit::EnqueueGrouped)];
    measures.extend(submitted.latency("bulk call", None));
    measures.extend(cost.into_iter().map(|measure| measure.within("bulk")));
    Ok(Done {
        measures,
        checked: stage.options.tasks,
    })
}

async fn in_process(
    stage: &Stage<'_>,
    group: usize,
) -> Result<(Submitted, Vec<Measure>), BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let (tasks, at_once) = (stage.options.tasks, stage.options.concurrency);
    let (load, ids) = (Load::new(&agent, stage.payload()), stage.ids(tasks));
    let before = stage.server.sample().await?;
    let (store, progress) = (&stage.store, stage.progress);
    let submitted = submit::in_bulk(store, &load, ids, group, at_once, progress).await?;
    let after = stage.server.sample().await?;
    let expected = Expected::once(TaskState::Queued);
    check(&stage.store, &agent, &submitted.ids, expected).await?;
    let mut cost = after.cost_since(&before, tasks);
    let memory = after.memory_since(&before, tasks);
    cost.push(memory.aim(Aim::AtMost(MOST_MEMORY)));
    cost.push(after.resident());
    Ok((submitted, cost))
}

/// Through a gateway process.
pub(super) async fn through_gateway(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let tasks = stage.options.tasks;
    stage.announce(&agent).await?;
    let gateway = stage.gateway().await?;
    stage.progress.begin("enqueue through REST", tasks);
    let door = Door::new(gateway.url(), None, OWNER);
    let clients = door.clients(stage.options.connections)?;
    let task = door.task(agent.as_str(), stage.payload());
    let count = usize::try_from(tasks).unwrap_or(usize::MAX);
    let submitted = submit::through_gateway(&door, clients, &task, count, stage.progress).await?;
    let expected = Expected::once(TaskState::Queued);
    check(&stage.store, &agent, &submitted.ids, expected).await?;
    let rate = Measure::new("REST", "tasks/s", submitted.rate()).of(Limit::Enqueue);
    let mut measures = vec![rate.aim(Aim::AtLeast(LEAST_REST))];
    measures.extend(submitted.latency("REST call", Some(MOST_REST_P99)));
    measures.extend(gateway.peak_memory());
    gateway.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}

/// What the parts say together.
pub(super) fn compare(measures: &[Measure]) -> Option<Measure> {
    let of = |name| {
        measures
            .iter()
            .find(|m| m.name() == name)
            .map(Measure::value)
    };
    let (bulk, single) = of("bulk").zip(of("store"))?;
    let ratio = Measure::new("bulk / store", "×", bulk / single.max(f64::EPSILON));
    Some(ratio.aim(Aim::AtLeast(LEAST_BULK)))
}
