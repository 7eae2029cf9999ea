//! Faults of the whole system: real processes that are killed, frozen and restarted, on a real Redis.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod kill;
mod model;
mod network;
mod pause;
mod poison;
mod races;
mod redis;
mod schedule;
mod shutdown;
mod steer;
mod streams;
mod throughput;
mod webhooks;

use std::{sync::Arc, time::Duration};

use factorial_core::{Event, TaskId};
use factorial_tests::system::{System, ToolServer};
use serde_json::Value;

/// Longer than anything takes that is not broken.
const SOON: Duration = Duration::from_secs(20);

/// Events of one type.
fn of_type<'a>(events: &'a [Event], event_type: &str) -> Vec<&'a Event> {
    events
        .iter()
        .filter(|e| e.event_type == event_type)
        .collect()
}

fn data(event: &Event) -> Value {
    serde_json::from_str(event.data.get()).expect("JSON")
}

/// A tool server that answers at once.
async fn obliging_tools() -> Arc<ToolServer> {
    Arc::new(ToolServer::start(async |_| "done".to_owned()).await)
}

/// How often the model was asked, and how often a reply was committed.
async fn asked_and_committed(system: &System, id: &TaskId) -> (usize, usize) {
    let events = system.events(id).await;
    let committed = of_type(&events, "progress_update_completion_completed").len();
    (system.asked(id).len(), committed)
}
