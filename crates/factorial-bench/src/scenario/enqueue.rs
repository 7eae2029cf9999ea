//! Accepting tasks that nobody takes: what a submission costs, through the store and through the REST interface.

use factorial_core::{AgentName, TaskState};

use super::Done;
use crate::ceiling::Limit;
use crate::delivery::check;
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::NOOP_AGENT;
use crate::stage::Stage;
use crate::submit;

/// Through the store, in this process.
pub(super) async fn through_store(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let tasks = stage.options.tasks;
    let ids = stage.ids(tasks);
    stage.progress.begin("enqueue through the store", tasks);
    let before = stage.server.sample().await?;
    let submitted = submit::through_store(
        &stage.store,
        &agent,
        ids,
        &stage.payload(),
        stage.options.concurrency,
        stage.progress,
    )
    .await?;
    let after = stage.server.sample().await?;
    check(&stage.store, &agent, &submitted.ids, TaskState::Queued).await?;
    let mut measures = vec![Measure::new("store", "tasks/s", submitted.rate()).of(Limit::Enqueue)];
    measures.extend(submitted.latency("store call"));
    measures.extend(after.cost_since(&before, tasks));
    measures.push(after.memory_since(&before, tasks));
    measures.push(after.resident());
    Ok(Done {
        measures,
        checked: tasks,
    })
}

/// Through a gateway process.
pub(super) async fn through_gateway(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(NOOP_AGENT)?;
    let tasks = stage.options.tasks;
    stage.announce(&agent).await?;
    let gateway = stage.gateway().await?;
    stage.progress.begin("enqueue through REST", tasks);
    let submitted = submit::through_gateway(
        gateway.url(),
        &agent,
        usize::try_from(tasks).unwrap_or(usize::MAX),
        &stage.payload(),
        stage.options.connections,
        stage.progress,
    )
    .await?;
    check(&stage.store, &agent, &submitted.ids, TaskState::Queued).await?;
    let mut measures = vec![Measure::new("REST", "tasks/s", submitted.rate()).of(Limit::Enqueue)];
    measures.extend(submitted.latency("REST call"));
    measures.extend(gateway.peak_memory());
    gateway.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}
