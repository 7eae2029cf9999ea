//! A worker that is frozen and goes on.

use std::{sync::Arc, time::Duration};

use factorial_core::TaskState;
use factorial_tests::{
    eventually,
    system::{Setup, System, ToolServer, agent, ask, legs},
};
use serde_json::json;

use super::{SOON, obliging_tools};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_its_lease_it_writes_nothing_and_lives_on() {
    let tools = obliging_tools().await;
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    let frozen = system.start_worker().await;
    // One that waits for its first reply, and one for its last.
    let early = system
        .submit(ask("clerk", "[[sim:latency_ms=1000]] early"))
        .await;
    let late = system
        .submit(ask("clerk", "[[sim:latency_ms=300]][[sim:turns=4]] late"))
        .await;
    system.when_asked(&early, 1).await;
    system.when_asked(&late, 2).await;
    frozen.sigstop();
    let other = system.start_worker().await;
    let mut before = Vec::new();
    for id in [&early, &late] {
        let task = system.end(id).await;
        assert_eq!(
            (task.state, task.attempts, task.recoveries),
            (TaskState::Completed, 2, 1)
        );
        let events = system.events(id).await;
        assert_eq!(legs(&events)[1].pid, other.pid());
        before.push((task, format!("{events:?}"), system.entries(id).await));
    }
    frozen.sigcont();
    // Both runs learn that they are lost.
    eventually(SOON, async || {
        (frozen.log().matches(r#""outcome":"lost""#).count() == 2).then_some(())
    })
    .await;
    for (id, (task, events, entries)) in [&early, &late].into_iter().zip(&before) {
        assert_eq!(&system.task(id).await, task);
        assert_eq!(&format!("{:?}", system.events(id).await), events);
        assert_eq!(&system.entries(id).await, entries);
    }
    other.kill9();
    let next = system.submit(ask("clerk", "[[sim:noop]] next")).await;
    assert_eq!(system.end(&next).await.state, TaskState::Completed);
    assert_eq!(legs(&system.events(&next).await)[0].pid, frozen.pid());
    system.finish().await;
}

/// The other worker still runs the task when the frozen one comes back with a result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_refused_while_another_runs_the_task() {
    let answer = async |call: factorial_tests::system::ToolCall| {
        tokio::time::sleep(Duration::from_millis(if call.earlier == 0 {
            500
        } else {
            4_000
        }))
        .await;
        format!("answer {}", call.earlier)
    };
    let tools = Arc::new(ToolServer::start(answer).await);
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    let frozen = system.start_worker().await;
    let id = system.submit(ask("clerk", "a")).await;
    eventually(SOON, async || (tools.calls().len() == 1).then_some(())).await;
    frozen.sigstop();
    system.start_worker().await;
    eventually(SOON, async || (tools.calls().len() == 2).then_some(())).await;
    frozen.sigcont();
    eventually(SOON, async || {
        frozen.log().contains(r#""outcome":"lost""#).then_some(())
    })
    .await;
    assert_eq!(system.task(&id).await.state, TaskState::Processing);
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.attempts, task.turns),
        (TaskState::Completed, 2, 2)
    );
    let entries = serde_json::to_string(&system.entries(&id).await).unwrap();
    assert!(
        entries.contains("answer 1") && !entries.contains("answer 0"),
        "{entries}"
    );
    assert_eq!(system.asked(&id).len(), 2);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_less_than_its_lease_it_changes_nothing() {
    let system = System::start(Setup::fast().agent(agent("plain", json!({})))).await;
    let worker = system.start_worker().await;
    system.start_worker().await;
    let id = system
        .submit(ask("plain", "[[sim:latency_ms=1500]] a"))
        .await;
    let task = system.when(&id, SOON, |t| t.worker.is_some()).await;
    let holder = system
        .worker_process(task.worker.unwrap().as_str())
        .unwrap();
    system.when_asked(&id, 1).await;
    holder.sigstop();
    tokio::time::sleep(Duration::from_millis(900)).await;
    holder.sigcont();
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.attempts, task.recoveries),
        (TaskState::Completed, 1, 0)
    );
    assert_eq!(system.asked(&id).len(), 1);
    assert!(worker.ended().is_none());
    system.finish().await;
}
