//! What is measured, a file each. A scenario has parts, each in a namespace of its own.

mod cancel;
mod dispatch;
mod drain;
mod enqueue;
mod inflight;
mod steer;
mod turns;
mod waiting;

use std::time::Duration;

use factorial_core::TaskRecord;

use crate::error::BenchError;
use crate::options::Scenario;
use crate::report::Measure;
use crate::stage::Stage;

/// One thing to do in a fresh namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    EnqueueStore,
    EnqueueGateway,
    Drain,
    DispatchAgent,
    DispatchModel,
    Turns,
    Inflight,
    Cancel,
    Steer,
}

/// What it gave.
pub(crate) struct Done {
    pub(crate) measures: Vec<Measure>,
    /// Tasks that were checked one by one.
    pub(crate) checked: u64,
}

/// What a scenario consists of.
pub(crate) fn parts(scenario: Scenario) -> &'static [Part] {
    match scenario {
        Scenario::Enqueue => &[Part::EnqueueStore, Part::EnqueueGateway],
        Scenario::Drain => &[Part::Drain],
        Scenario::Dispatch => &[Part::DispatchAgent, Part::DispatchModel],
        Scenario::Turns => &[Part::Turns],
        Scenario::Inflight => &[Part::Inflight],
        Scenario::Cancel => &[Part::Cancel],
        Scenario::Steer => &[Part::Steer],
    }
}

/// Does it once.
///
/// # Errors
/// When it fails, or delivery is not exact.
pub(crate) async fn perform(part: Part, stage: &Stage<'_>) -> Result<Done, BenchError> {
    match part {
        Part::EnqueueStore => enqueue::through_store(stage).await,
        Part::EnqueueGateway => enqueue::through_gateway(stage).await,
        Part::Drain => drain::drain(stage).await,
        Part::DispatchAgent => dispatch::to_agent(stage).await,
        Part::DispatchModel => dispatch::to_model(stage).await,
        Part::Turns => turns::turns(stage).await,
        Part::Inflight => inflight::inflight(stage).await,
        Part::Cancel => cancel::cancel(stage).await,
        Part::Steer => steer::steer(stage).await,
    }
}

/// From the first claim to the last end, by the clock of Redis; a millisecond at least, which is what that clock shows.
fn first_claim_to_last_end(records: &[TaskRecord]) -> Duration {
    let first = records.iter().filter_map(|r| r.started_ms).min();
    let last = records.iter().filter_map(|r| r.finished_ms).max();
    let ms = last.zip(first).map_or(1, |(last, first)| last - first);
    Duration::from_millis(u64::try_from(ms).unwrap_or(1).max(1))
}
