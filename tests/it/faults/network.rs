//! The network between a worker and Redis: connections that are half-open, and partitions.

use std::time::{Duration, Instant};

use factorial_core::TaskState;
use factorial_local_redis::Listen;
use factorial_tests::{
    TestRedis, eventually,
    system::{Proxy, Setup, System, agent, ask, legs},
};
use serde_json::json;

use super::{SOON, asked_and_committed};

async fn system(setup: Setup) -> (System, Proxy) {
    let tcp = Listen::Tcp { port: 0 };
    let redis = tokio::task::spawn_blocking(move || TestRedis::private(tcp, &[]))
        .await
        .unwrap();
    let proxy = Proxy::start(redis.url()).await;
    (
        System::start(setup.redis(redis).agent(agent("plain", json!({})))).await,
        proxy,
    )
}

/// Whatever connection falls silent, at whatever moment between two heartbeats: no lease is lost, and new work starts
/// soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_replaced() {
    let (system, proxy) = system(Setup::defaults()).await;
    system.start_worker_behind(&proxy).await;
    let long = system
        .submit(ask("plain", "[[sim:latency_ms=22000]] long"))
        .await;
    system.when_asked(&long, 1).await;
    let mut slowest = Duration::ZERO;
    for round in 0..3 {
        // Not in step with the heartbeats.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let opened = proxy.opened();
        proxy.silence();
        let silenced = Instant::now();
        let id = system
            .submit(ask("plain", format!("[[sim:noop]] {round}")))
            .await;
        system.when(&id, SOON, |t| t.started_ms.is_some()).await;
        slowest = slowest.max(silenced.elapsed());
        assert_eq!(system.end(&id).await.state, TaskState::Completed);
        assert!(proxy.opened() > opened);
    }
    eprintln!("half-open to claimed: {slowest:?} at most");
    // A second for the wait that nobody answers, and a little to notice.
    assert!(slowest < Duration::from_millis(3_000), "{slowest:?}");
    let task = system.end(&long).await;
    assert_eq!(
        (task.state, task.attempts, task.recoveries),
        (TaskState::Completed, 1, 0)
    );
    system.finish().await;
}

/// Redis has leased the tasks, and the worker has not heard of it: once, and again when the call is repeated at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_is_lost_is_repeated() {
    let (system, proxy) = system(Setup::defaults()).await;
    let worker = system.start_worker_behind(&proxy).await;
    let me = format!("-{}-", worker.pid());
    let warm = system.submit(ask("plain", "[[sim:noop]] warm")).await;
    assert_eq!(system.end(&warm).await.state, TaskState::Completed);
    for times in 1..=2 {
        proxy.lose_answers(times, &["EVALSHA", "\r\nplain\r\n", &me]);
        let mut ids = Vec::new();
        for n in 0..3 {
            let text = format!("[[sim:noop]] {times} {n}");
            ids.push(system.submit(ask("plain", text)).await);
        }
        for id in &ids {
            let task = system.end(id).await;
            assert_eq!(
                (task.state, task.attempts, task.recoveries),
                (TaskState::Completed, 1, 0)
            );
            assert_eq!(asked_and_committed(&system, id).await, (1, 1));
        }
        assert_eq!(proxy.to_lose(), 0);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_shorter_than_the_lease_changes_nothing() {
    let (system, proxy) = system(Setup::defaults()).await;
    system.start_worker_behind(&proxy).await;
    let mut ids = Vec::new();
    for n in 0..10 {
        // Replies arrive before, during and after.
        ids.push(
            system
                .submit(ask(
                    "plain",
                    format!("[[sim:latency_ms={}]] {n}", 400 + 400 * n),
                ))
                .await,
        );
    }
    for id in &ids {
        system.when_asked(id, 1).await;
    }
    proxy.cut();
    tokio::time::sleep(Duration::from_secs(2)).await;
    proxy.heal();
    for id in &ids {
        let task = system.end(id).await;
        assert_eq!(
            (task.state, task.attempts, task.recoveries),
            (TaskState::Completed, 1, 0)
        );
        assert_eq!(asked_and_committed(&system, id).await, (1, 1));
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_partition_longer_than_the_lease_it_writes_nothing() {
    let (system, proxy) = system(Setup::fast()).await;
    let cut_off = system.start_worker_behind(&proxy).await;
    let id = system
        .submit(ask("plain", "[[sim:latency_ms=1000]] a"))
        .await;
    let hung = system
        .submit(ask("plain", "[[sim:latency_ms=8000]] b"))
        .await;
    system.when_asked(&id, 1).await;
    system.when_asked(&hung, 1).await;
    proxy.cut();
    // Its reply comes, and cannot be committed.
    let other = system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.attempts, task.recoveries),
        (TaskState::Completed, 2, 1)
    );
    let events = format!("{:?}", system.events(&id).await);
    assert_eq!(legs(&system.events(&id).await)[1].pid, other.pid());
    proxy.heal();
    eventually(SOON, || {
        let lost = cut_off.log().matches(r#""outcome":"lost""#).count() == 2;
        async move { lost.then_some(()) }
    })
    .await;
    assert_eq!(format!("{:?}", system.events(&id).await), events);
    let task = system.end(&hung).await;
    assert_eq!(
        (task.state, task.attempts, task.recoveries),
        (TaskState::Completed, 2, 1)
    );
    other.kill9();
    let next = system.submit(ask("plain", "[[sim:noop]] next")).await;
    assert_eq!(system.end(&next).await.state, TaskState::Completed);
    system.finish().await;
}
