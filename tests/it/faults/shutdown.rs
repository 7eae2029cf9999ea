//! SIGTERM: finish or hand back at a boundary, and burn no attempt.

use std::time::{Duration, Instant};

use factorial_core::TaskState;
use factorial_sim::{Behaviour, Fault};
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::json;

use super::{SOON, asked_and_committed, obliging_tools};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_turns_are_handed_back_at_a_boundary() {
    let tools = obliging_tools().await;
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    let first = system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        // Some are in their first turn at the signal, some in their last.
        let turns = n % 4;
        ids.push(
            system
                .submit(ask(
                    "clerk",
                    format!("[[sim:turns={turns}]][[sim:latency_ms=400]] {n}"),
                ))
                .await,
        );
    }
    for id in &ids {
        system.when_asked(id, 1).await;
    }
    first.sigterm();
    assert!(
        first.exit(Duration::from_secs(5)).await.success(),
        "within the grace period"
    );
    let held = system
        .store()
        .place_size(factorial_core::Partition(0), "lease")
        .await
        .unwrap();
    assert_eq!(held, 0, "nothing waits for a lease to expire");
    system.start_worker().await;
    let mut hand_backs = 0;
    for (n, id) in ids.iter().enumerate() {
        let task = system.end(id).await;
        assert_eq!(
            (task.state, task.retries, task.recoveries),
            (TaskState::Completed, 0, 0)
        );
        assert_eq!(task.attempts, 1 + task.hand_backs);
        hand_backs += task.hand_backs;
        // Whole turns: no reply is paid for twice.
        let turns = n % 4 + 1;
        assert_eq!(asked_and_committed(&system, id).await, (turns, turns));
    }
    assert!(hand_backs >= 10, "{hand_backs}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_turns_are_handed_back_after_the_grace_period() {
    let setup = Setup::fast()
        .agent(agent("plain", json!({})))
        .worker("--grace-period-seconds", "1");
    let system = System::start(setup).await;
    system
        .sim()
        .behave(Behaviour::fault(Fault::Hang { after_tokens: None }).times(1));
    let first = system.start_worker().await;
    let id = system.submit(ask("plain", "a")).await;
    system.when_asked(&id, 1).await;
    let asked = Instant::now();
    first.sigterm();
    assert!(first.exit(Duration::from_secs(5)).await.success());
    assert!(
        asked.elapsed() >= Duration::from_secs(1),
        "it had its grace period: {:?}",
        asked.elapsed()
    );
    assert_eq!(system.task(&id).await.state, TaskState::Queued);
    system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.hand_backs, task.retries, task.recoveries),
        (TaskState::Completed, 1, 0, 0)
    );
    assert!(system.asked(&id)[0].closed_early);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_releases_at_once() {
    let setup = Setup::fast()
        .agent(agent("plain", json!({})))
        .worker("--grace-period-seconds", "60");
    let system = System::start(setup).await;
    system
        .sim()
        .behave(Behaviour::fault(Fault::Hang { after_tokens: None }).times(3));
    let first = system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(system.submit(ask("plain", format!("{n}"))).await);
    }
    for id in &ids {
        system.when_asked(id, 1).await;
    }
    first.sigterm();
    let draining = async || {
        let workers = system.store().workers().await.ok()?;
        workers
            .iter()
            .any(|w| w.pid == first.pid() && w.draining)
            .then_some(())
    };
    eventually(SOON, draining).await;
    // A worker that drains takes nothing new.
    let late = system.submit(ask("plain", "late")).await;
    assert!(first.ended().is_none());
    let again = Instant::now();
    first.sigterm();
    assert!(first.exit(Duration::from_secs(5)).await.success());
    assert!(
        again.elapsed() < Duration::from_secs(2),
        "{:?}",
        again.elapsed()
    );
    for id in &ids {
        let task = system.task(id).await;
        assert_eq!(
            (task.state, task.hand_backs, task.retries),
            (TaskState::Queued, 1, 0)
        );
    }
    assert_eq!(system.task(&late).await.attempts, 0);
    system.start_worker().await;
    for id in &ids {
        assert_eq!(system.end(id).await.state, TaskState::Completed);
    }
    system.finish().await;
}
