//! Servers that are processes of the worker.

use std::path::Path;

use factorial_tests::mcp::mcp_command;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{call, system, until};

/// Whether a process is there and has not ended.
fn lives(pid: &Value) -> bool {
    let stat = Path::new("/proc").join(pid.to_string()).join("stat");
    let stat = std::fs::read_to_string(stat).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

async fn told(system: &factorial_tests::system::System) -> Value {
    let (text, is_error) = call(system, "t__process", json!({})).await;
    assert!(!is_error, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_serves_all_tasks_and_ends_with_the_worker() {
    let mut tool = mcp_command("t", &["--here"]);
    tool["env"] = json!({ "EXTRA": "given" });
    let system = system(&[tool]).await;
    let first = told(&system).await;
    let second = told(&system).await;
    assert_eq!(first["pid"], second["pid"]);
    let variables = first["variables"].as_array().unwrap();
    assert!(variables.contains(&json!("EXTRA")) && variables.contains(&json!("PATH")));
    let passed_on = |name: &&Value| {
        name.as_str()
            .is_some_and(|n| n.starts_with("FACTORIAL_") || n.ends_with("_API_KEY"))
    };
    assert_eq!(variables.iter().find(passed_on), None);
    let worker = system.workers().pop().unwrap();
    worker.sigterm();
    worker.exit(super::SOON).await;
    until(|| !lives(&first["pid"]) && !lives(&first["child"])).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_is_started_again() {
    let system = system(&[mcp_command("t", &[])]).await;
    let first = told(&system).await;
    let pid = Pid::from_raw(first["pid"].as_i64().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    until(|| !lives(&first["pid"])).await;
    let second = told(&system).await;
    assert_ne!(first["pid"], second["pid"]);
    // What the first had started went with it.
    until(|| !lives(&first["child"])).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_ends_when_its_worker_is_killed() {
    let system = system(&[mcp_command("t", &[])]).await;
    let told = told(&system).await;
    let worker = system.workers().pop().unwrap();
    worker.kill9();
    until(|| !lives(&told["pid"])).await;
    system.start_worker().await;
    let pid = i32::try_from(told["child"].as_i64().unwrap()).unwrap();
    let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    system.finish().await;
}
