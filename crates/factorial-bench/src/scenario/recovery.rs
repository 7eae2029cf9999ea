//! A worker dies with everything that it runs: how long until another one runs it.

use std::collections::HashMap;

use factorial_core::{AgentName, TaskId, TaskState};
use factorial_sim::Behaviour;

use super::Done;
use super::waiting::Waiting;
use crate::aim::Aim;
use crate::delivery::{Expected, all_ended, check};
use crate::error::BenchError;
use crate::report::Measure;
use crate::role::MODEL_AGENT;
use crate::stage::Stage;
use crate::stats::{number, percentile};

/// Events that are read at once.
const PAGE: u64 = 64;
/// From the death of the worker to the run elsewhere, s.
const MOST_SECONDS: f64 = 15.0;

/// Kills a worker while all its tasks wait for their model, with another worker and a reaper there. All times are of the
/// clock of Redis.
pub(super) async fn recovery(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(MODEL_AGENT)?;
    let tasks = stage.options.tasks;
    let query = format!("[[sim:noop]]{}", stage.payload());
    let Waiting { ids, sim, worker } = Waiting::ask(stage, &agent, query).await?;
    let slots = usize::try_from(tasks).unwrap_or(usize::MAX);
    let other = stage.worker(slots, Some(sim.base_url())).await?;
    let reaper = stage.reaper(None).await?;

    stage.progress.begin("recovering", tasks);
    // Only the requests of the dead worker go unanswered.
    sim.behave(Behaviour::default());
    let killed_ms = stage.store.now_ms().await?;
    worker.kill().await?;
    let lease_ends = stage.lease_ends().await?;
    let (store, progress) = (&stage.store, stage.progress);
    all_ended(store, &agent, tasks, &other, progress).await?;
    let expected = Expected {
        state: TaskState::Completed,
        attempts: 2,
        recoveries: 1,
    };
    check(&stage.store, &agent, &ids, expected).await?;

    let (mut recovered, mut resumed, mut since_kill) = (Vec::new(), Vec::new(), Vec::new());
    for id in &ids {
        let at = happened(stage, id).await?;
        let (Some(lease), Some(back), Some(again)) = (
            lease_ends.get(id),
            at.get("task_recovered"),
            at.get("run_resumed"),
        ) else {
            let text = format!("task {id} had no lease, or was not recovered and run again");
            return Err(BenchError::Delivery(text));
        };
        recovered.push(number(back.saturating_sub(*lease)));
        resumed.push(number(again.saturating_sub(*lease)));
        since_kill.push(number(again.saturating_sub(killed_ms)) / 1_000.0);
    }
    let mut measures = Measure::times("lease end to queued", &recovered, [None, None]);
    measures.extend(Measure::times(
        "lease end to running",
        &resumed,
        [None, None],
    ));
    measures.extend([
        Measure::new("kill to running p50", "s", percentile(&since_kill, 0.5)),
        Measure::new("kill to running max", "s", percentile(&since_kill, 1.0))
            .aim(Aim::AtMost(MOST_SECONDS)),
    ]);
    reaper.stop().await?;
    other.stop().await?;
    Ok(Done {
        measures,
        checked: tasks,
    })
}

/// When each kind of event of a task happened last, ms since the Unix epoch.
async fn happened(stage: &Stage<'_>, id: &TaskId) -> Result<HashMap<String, u64>, BenchError> {
    let (events, _) = stage.store.events(id, 0, PAGE).await?;
    let at = |ms| u64::try_from(ms).unwrap_or_default();
    Ok(events
        .into_iter()
        .map(|event| (event.event_type, at(event.at_ms)))
        .collect())
}
