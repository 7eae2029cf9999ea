//! What is measured, a file each. A scenario has parts, each in a namespace of its own.

mod cancel;
mod claim;
mod dispatch;
mod drain;
mod enqueue;
mod idle;
mod inflight;
mod parked;
mod recovery;
mod soak;
mod steer;
mod stream;
mod turns;
mod waiting;

use std::time::Duration;

use factorial_core::TaskRecord;

use crate::catalogue::Scenario;
use crate::error::BenchError;
use crate::report::Measure;
use crate::stage::Stage;

/// One thing to do in a fresh namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    EnqueueStore,
    EnqueueBulk,
    EnqueueGateway,
    Drain,
    DispatchAgent,
    DispatchModel,
    TurnsShort,
    TurnsLong,
    Inflight,
    Cancel,
    Steer,
    Idle,
    Claim,
    Recovery,
    Parked,
    Stream,
    Soak,
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
        Scenario::Enqueue => &[Part::EnqueueStore, Part::EnqueueBulk, Part::EnqueueGateway],
        Scenario::Drain => &[Part::Drain],
        Scenario::Dispatch => &[Part::DispatchAgent, Part::DispatchModel],
        Scenario::Turns => &[Part::TurnsShort, Part::TurnsLong],
        Scenario::Inflight => &[Part::Inflight],
        Scenario::Cancel => &[Part::Cancel],
        Scenario::Steer => &[Part::Steer],
        Scenario::Idle => &[Part::Idle],
        Scenario::Claim => &[Part::Claim],
        Scenario::Recovery => &[Part::Recovery],
        Scenario::Parked => &[Part::Parked],
        Scenario::Stream => &[Part::Stream],
        Scenario::Soak => &[Part::Soak],
    }
}

/// What the parts of a repeat say together.
pub(crate) fn compare(measures: &[Measure]) -> Option<Measure> {
    enqueue::compare(measures)
}

/// Does it once.
///
/// # Errors
/// When it fails, or delivery is not exact.
pub(crate) async fn perform(part: Part, stage: &Stage<'_>) -> Result<Done, BenchError> {
    match part {
        Part::EnqueueStore => enqueue::through_store(stage).await,
        Part::EnqueueBulk => enqueue::in_bulk(stage).await,
        Part::EnqueueGateway => enqueue::through_gateway(stage).await,
        Part::Drain => drain::drain(stage).await,
        Part::DispatchAgent => dispatch::to_agent(stage).await,
        Part::DispatchModel => dispatch::to_model(stage).await,
        Part::TurnsShort => turns::short(stage).await,
        Part::TurnsLong => turns::long(stage).await,
        Part::Inflight => inflight::inflight(stage).await,
        Part::Cancel => cancel::cancel(stage).await,
        Part::Steer => steer::steer(stage).await,
        Part::Idle => idle::idle(stage).await,
        Part::Claim => claim::claim(stage).await,
        Part::Recovery => recovery::recovery(stage).await,
        Part::Parked => parked::parked(stage).await,
        Part::Stream => stream::stream(stage).await,
        Part::Soak => soak::soak(stage).await,
    }
}

/// From the first claim to the last end, by the clock of Redis; a millisecond at least, which is what that clock shows.
fn first_claim_to_last_end(records: &[TaskRecord]) -> Duration {
    let first = records.iter().filter_map(|r| r.started_ms).min();
    let last = records.iter().filter_map(|r| r.finished_ms).max();
    let ms = last.zip(first).map_or(1, |(last, first)| last - first);
    Duration::from_millis(u64::try_from(ms).unwrap_or(1).max(1))
}
