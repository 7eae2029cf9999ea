//! Tools of MCP servers, through real processes.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod away;
mod calls;
mod process;

use std::time::Duration;

use factorial_core::{Entry, TaskId, TaskState};
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::{Value, json};

/// Longer than anything takes that is not broken.
const SOON: Duration = Duration::from_secs(30);

/// A system with one worker, whose agent `clerk` has these tools.
async fn system(tools: &[Value]) -> System {
    let setup = Setup::fast()
        .agent(agent("clerk", json!({ "tools": tools })))
        .agent(agent("plain", json!({})));
    let system = System::start(setup).await;
    system.start_worker().await;
    system
}

/// A query on which the model calls tools with arguments, word for word.
fn calls(tools: &Value) -> String {
    format!("[[sim:args={tools}]] go")
}

/// The result of the only tool call of a task that completes, and whether it is an error.
async fn result(system: &System, id: &TaskId) -> (String, bool) {
    let task = system.end(id).await;
    assert_eq!(task.state, TaskState::Completed, "{task:?}");
    results(system, id).await.pop().expect("a result")
}

/// The results of a task's tool calls.
async fn results(system: &System, id: &TaskId) -> Vec<(String, bool)> {
    let entries = system.entries(id).await.into_iter();
    let result = |entry| match entry {
        Entry::Tool {
            content, is_error, ..
        } => Some((content, is_error)),
        _ => None,
    };
    entries.filter_map(result).collect()
}

/// Calls one tool in a task of its own.
async fn call(system: &System, tool: &str, args: Value) -> (String, bool) {
    let mut tools = json!({});
    tools[tool] = args;
    let id = system.submit(ask("clerk", calls(&tools))).await;
    result(system, &id).await
}

/// Waits until it holds.
async fn until(what: impl Fn() -> bool) {
    eventually(SOON, || async { what().then_some(()) }).await;
}
