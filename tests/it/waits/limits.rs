//! What bounds a tree.

use std::time::Duration;

use factorial_core::{TaskRecord, TaskState};
use factorial_tests::system::{Setup, System, agent, ask};
use serde_json::json;

use super::{SOON, all_ended, args, fan_out, results};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_spawns_itself_for_ever_ends_at_its_depth() {
    let tool = json!({ "kind": "agent", "agent": "echo", "description": "Is tested.", "name": "again", "max_depth": 5 });
    let system =
        System::start(Setup::fast().agent(agent("echo", json!({ "tools": [tool] })))).await;
    system.start_worker().await;
    let id = system.submit(ask("echo", "again")).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let below = system.descendants(std::slice::from_ref(&id)).await;
    assert_eq!(
        below.iter().map(|t| t.depth).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    let deepest = results(&system, &below[4].id).await;
    assert!(
        deepest[0].2 && deepest[0].1.contains("nested"),
        "{deepest:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_has_so_many_descendants_and_no_more() {
    let boss = agent("boss", json!({ "tools": [fan_out("research", "boss")] }));
    let setup = Setup::fast().agent(boss).worker("--max-descendants", "30");
    let system = System::start(setup).await;
    system.start_worker().await;
    let leaves = ["[[sim:noop]]"; 10];
    let inner = args(&json!({ "research": { "topics": leaves } })) + " go";
    let topics = vec![inner; 10];
    let id = system
        .submit(ask(
            "boss",
            args(&json!({ "research": { "topics": topics } })) + " go",
        ))
        .await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    all_ended(&system, SOON).await;
    assert_eq!(
        system.descendants(std::slice::from_ref(&id)).await.len(),
        30
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fan_out_of_none_and_of_too_many_tell_the_model() {
    let empty = json!({ "topics": [] });
    let many = json!({ "topics": vec!["x"; 1_000] });
    let boss = agent("boss", json!({ "tools": [fan_out("research", "helper")] }));
    let system = System::start(Setup::fast().agent(boss).agent(agent("helper", json!({})))).await;
    system.start_worker().await;
    for (topics, error) in [(empty, true), (many, true)] {
        let query = args(&json!({ "research": topics })) + " go";
        let id = system.submit(ask("boss", query)).await;
        assert_eq!(system.end(&id).await.state, TaskState::Completed);
        let results = results(&system, &id).await;
        assert_eq!(results[0].2, error, "{}", results[0].1);
        assert!(system.descendants(&[id]).await.is_empty());
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_takes_too_long_is_cancelled_and_its_parent_goes_on() {
    let mut tool = fan_out("research", "helper");
    tool["timeout_seconds"] = json!(1.0);
    let boss = agent("boss", json!({ "tools": [tool] }));
    let system = System::start(Setup::fast().agent(boss).agent(agent("helper", json!({})))).await;
    system.start_worker().await;
    let topics = ["[[sim:latency_ms=60000]]", "[[sim:reply=in time]]"];
    let id = system
        .submit(ask(
            "boss",
            args(&json!({ "research": { "topics": topics } })) + " go",
        ))
        .await;
    let record = system.end(&id).await;
    assert_eq!(record.state, TaskState::Completed);
    let results = results(&system, &id).await;
    let items: serde_json::Value = serde_json::from_str(&results[0].1).unwrap();
    assert_eq!(
        (&items[0]["status"], &items[1]["output"]),
        (&json!("timeout"), &json!("in time"))
    );
    let mut states = Vec::new();
    for child in system.descendants(std::slice::from_ref(&id)).await {
        let ended = |t: &TaskRecord| t.state.is_terminal();
        let child = system.when(&child.id, Duration::from_secs(2), ended);
        states.push(child.await.state);
    }
    // They were made at the same moment, so their ids do not tell which is which.
    states.sort_by_key(|state| *state == TaskState::Completed);
    assert_eq!(states, [TaskState::Cancelled, TaskState::Completed]);
    system.finish().await;
}
