//! What must hold in Redis when nothing is left to do.

use std::time::Duration;

use factorial_core::{AgentName, Partition, TaskState, Walk};

use crate::error::BenchError;
use crate::rest::Tally;
use crate::stage::Stage;

/// Buckets of the timeline are kept longer, with room for the end of the run.
const COUNTED_WITHIN: Duration = Duration::from_secs(6_600);
/// Tasks of one look.
const PAGE: usize = 500;

/// Checks that no task is left that has not ended, that the timelines have counted every task accepted and ended once,
/// and that there is nothing to repair.
///
/// # Errors
/// [`BenchError::Delivery`] says what is wrong.
pub(super) async fn audit(
    stage: &Stage<'_>,
    agents: &[AgentName],
    tally: &Tally,
    lasts: Duration,
) -> Result<(), BenchError> {
    let wrong = |text: String| Err(BenchError::Delivery(text));
    for ((agent, state), count) in stage.store.counts().await? {
        if !state.is_terminal() && count > 0 {
            return wrong(format!("{count} tasks of {agent} are still {state}"));
        }
    }
    if lasts < COUNTED_WITHIN {
        for (what, expected) in [
            ("enqueued", tally.accepted),
            ("completed", tally.completed),
            ("failed", tally.failed),
            ("cancelled", tally.cancelled),
            ("recovered", tally.recoveries),
        ] {
            let mut happened = 0;
            for agent in agents {
                let buckets = stage.store.timeline(agent).await?;
                happened += buckets
                    .iter()
                    .filter_map(|b| b.counts.get(what))
                    .sum::<u64>();
            }
            if happened != expected {
                return wrong(format!("{happened} tasks were {what}, not {expected}"));
            }
        }
    }
    for partition in stage.store.all_partitions() {
        for walk in walks(agents) {
            let repaired = repairs(stage, partition, &walk).await?;
            if repaired > 0 {
                return wrong(format!(
                    "{repaired} entries did not fit their tasks ({walk:?})"
                ));
            }
        }
    }
    Ok(())
}

fn walks(agents: &[AgentName]) -> Vec<Walk> {
    let ended = [
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
    ];
    let mut walks = vec![
        Walk::Leases,
        Walk::Delays,
        Walk::Pending,
        Walk::Awaits,
        Walk::Asked,
    ];
    walks.extend(ended.map(Walk::Done));
    walks.extend(agents.iter().cloned().map(Walk::Agent));
    walks
}

async fn repairs(stage: &Stage<'_>, partition: Partition, walk: &Walk) -> Result<u64, BenchError> {
    let (mut repaired, mut cursor) = (0, None);
    loop {
        let store = &stage.store;
        let page = store
            .reconcile(partition, walk, cursor.as_deref(), PAGE)
            .await?;
        repaired += page.repaired;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(repaired);
        }
    }
}
