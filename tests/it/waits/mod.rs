//! Tasks that wait: for children, for answers, for a yes. Real processes on a real Redis.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod answers;
mod approvals;
mod callbacks;
mod children;
mod kills;
mod limits;
mod steering;

use std::time::Duration;

use factorial_core::{Entry, Event, TaskId, TaskRecord, Wait};
use factorial_tests::{eventually, system::System};
use serde_json::{Value, json};

/// Longer than anything takes that is not broken.
const SOON: Duration = Duration::from_secs(20);

/// A directive that gives the arguments of tool calls, word for word.
fn args(tools: &Value) -> String {
    format!("[[sim:args={tools}]]")
}

/// A tool that spawns a child for each of `topics`.
fn fan_out(name: &str, agent: &str) -> Value {
    json!({
        "kind": "agent", "name": name, "agent": agent, "description": "Is tested.", "fan_out": "topics",
        "max_children": 200,
    })
}

/// A tool that is answered from outside.
fn deferred(name: &str, asks: &str) -> Value {
    json!({
        "kind": "deferred", "name": name, "description": "Is tested.", "asks": asks,
        "parameters": { "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] },
    })
}

/// The results of a task's tool calls: the tool, the text, and whether it is an error.
async fn results(system: &System, id: &TaskId) -> Vec<(String, String, bool)> {
    let entries = system.entries(id).await;
    let result = |entry| match entry {
        Entry::Tool {
            name,
            content,
            is_error,
            ..
        } => Some((name, content, is_error)),
        _ => None,
    };
    entries.into_iter().filter_map(result).collect()
}

/// Waits until a task has parked.
async fn parked(system: &System, id: &TaskId) -> TaskRecord {
    system
        .when(id, SOON, |t| t.state.as_str().starts_with("pending_"))
        .await
}

/// The open waits of a task, once it has parked.
async fn open_waits(system: &System, id: &TaskId) -> Vec<Wait> {
    parked(system, id).await;
    let mut waits = system.store().waits(id).await.expect("waits");
    waits.retain(Wait::is_open);
    waits
}

fn count(events: &[Event], event_type: &str) -> usize {
    events.iter().filter(|e| e.event_type == event_type).count()
}

/// Waits until Redis holds no task that runs or waits.
async fn all_ended(system: &System, within: Duration) {
    let ended = || async {
        let counts = system.store().counts().await.ok()?;
        let open = counts
            .iter()
            .filter(|((_, state), n)| !state.is_terminal() && **n > 0);
        (open.count() == 0).then_some(())
    };
    eventually(within, ended).await;
}
