//! `kill -9` of a worker, at each point of its work.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use factorial_core::{Entry, TaskState};
use factorial_tests::{
    eventually,
    system::{Process, Setup, System, ToolServer, agent, ask, function_tool, legs, unix_ms},
};
use serde_json::json;

use super::{SOON, asked_and_committed, data, obliging_tools, of_type};

/// A worker that a tool is to kill.
type Victim = Arc<Mutex<Option<Arc<Process>>>>;

/// Tools of which `beta` kills the victim, once, before it answers.
async fn killing_tools(victim: &Victim) -> Arc<ToolServer> {
    let victim = Arc::clone(victim);
    let answer = move |call: factorial_tests::system::ToolCall| {
        let victim = if call.tool == "beta" {
            victim.lock().unwrap().take()
        } else {
            None
        };
        async move {
            if let Some(victim) = victim {
                // Its other calls have answered by then.
                tokio::time::sleep(Duration::from_millis(300)).await;
                victim.kill9();
            }
            format!("{} done", call.tool)
        }
    };
    Arc::new(ToolServer::start(answer).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_takes_nothing_with_it() {
    let system = System::start(Setup::fast().agent(agent("plain", json!({})))).await;
    let idle = system.start_worker().await;
    let other = system.start_worker().await;
    assert_eq!(system.store().workers().await.unwrap().len(), 2);
    idle.kill9();
    let started = Instant::now();
    let id = system.submit(ask("plain", "[[sim:noop]] a")).await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.attempts, task.recoveries),
        (TaskState::Completed, 1, 0)
    );
    // A wake-up that went to the dead one costs a second at most.
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    let left = || async { system.store().workers().await.ok().filter(|w| w.len() == 1) };
    let left = eventually(SOON, left).await;
    assert_eq!(left[0].pid, other.pid());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mid_turn_it_is_resumed_from_the_last_commit() {
    let tools = obliging_tools().await;
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    let first = system.start_worker().await;
    let id = system
        .submit(ask("clerk", "[[sim:latency_ms=1500]] a"))
        .await;
    system.when_asked(&id, 2).await;
    first.kill9();
    let second = system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(task.state, TaskState::Completed);
    assert_eq!(
        (task.turns, task.attempts, task.recoveries, task.retries),
        (2, 2, 1, 0)
    );
    // The first reply and its tool's result were committed: only the second reply is asked for again.
    assert_eq!(asked_and_committed(&system, &id).await, (3, 2));
    let asked = system.asked(&id);
    assert_eq!(asked[1].messages, asked[2].messages);
    assert_eq!(tools.calls().len(), 1);
    let legs = legs(&system.events(&id).await);
    assert_eq!(
        legs.iter().map(|l| l.pid).collect::<Vec<_>>(),
        [first.pid(), second.pid()]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_effect_and_commit_the_call_is_repeated_under_its_key() {
    let victim = Victim::default();
    let tools = killing_tools(&victim).await;
    let clerk = agent(
        "clerk",
        json!({ "tools": [tools.tool("alpha"), tools.tool("beta")] }),
    );
    let system = System::start(Setup::fast().agent(clerk)).await;
    let first = system.start_worker().await;
    *victim.lock().unwrap() = Some(first);
    let id = system.submit(ask("clerk", "alpha and beta")).await;
    eventually(SOON, || async {
        tools.calls().iter().any(|c| c.tool == "beta").then_some(())
    })
    .await;
    system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.turns, task.recoveries),
        (TaskState::Completed, 2, 1)
    );
    assert_eq!(asked_and_committed(&system, &id).await, (2, 2));
    let calls = tools.calls();
    let keys = |tool: &str| {
        calls
            .iter()
            .filter(|c| c.tool == tool)
            .map(|c| c.key.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("alpha").len(), 1, "its result was committed");
    let beta = keys("beta");
    assert_eq!(beta.len(), 2);
    assert_eq!(beta[0], beta[1]);
    assert!(beta[0].starts_with(&format!("{id}/")), "{}", beta[0]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_at_most_once_call_is_reported_as_unknown() {
    let victim = Victim::default();
    let tools = killing_tools(&victim).await;
    let mut tool = tools.tool("beta");
    tool["at_most_once"] = json!(true);
    let system =
        System::start(Setup::fast().agent(agent("clerk", json!({ "tools": [tool] })))).await;
    let first = system.start_worker().await;
    *victim.lock().unwrap() = Some(first);
    let id = system.submit(ask("clerk", "pay")).await;
    eventually(SOON, || async { tools.calls().first().map(drop) }).await;
    system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.turns, task.recoveries),
        (TaskState::Completed, 2, 1)
    );
    assert_eq!(tools.calls().len(), 1);
    let entries = system.entries(&id).await;
    let told = entries.iter().find_map(|e| match e {
        Entry::Tool {
            content,
            is_error: true,
            ..
        } => Some(content.clone()),
        _ => None,
    });
    assert!(
        told.as_ref().is_some_and(|t| t.contains("unknown_outcome")),
        "{told:?}"
    );
    let events = system.events(&id).await;
    let failed = of_type(&events, "progress_update_tool_action_failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(data(failed[0])["error_kind"], "unknown_outcome");
    system.finish().await;
}

/// With the services' own defaults, whatever the moment of the kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_defaults_it_runs_elsewhere_within_15_seconds() {
    let clock = agent("clock", json!({ "tools": [function_tool("current_time")] }));
    let system = System::start(Setup::defaults().agent(clock)).await;
    let victim = system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(
            system
                .submit(ask("clock", format!("[[sim:latency_ms=3000]] {n}")))
                .await,
        );
    }
    for id in &ids {
        system.when_asked(id, 1).await;
    }
    let killed = unix_ms();
    victim.kill9();
    system.start_worker().await;
    let mut slowest = 0;
    for id in &ids {
        let task = system.end(id).await;
        assert_eq!((task.state, task.recoveries), (TaskState::Completed, 1));
        slowest = slowest.max(legs(&system.events(id).await)[1].from_ms - killed);
    }
    eprintln!("kill -9 to resumed elsewhere, defaults: {slowest} ms at most");
    assert!(slowest <= 15_000, "{slowest} ms");
    system.finish().await;
}
