//! A master and a replica that Sentinels watch.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_core::{ConnectError, Store, StoreOptions, TaskState};
use factorial_local_redis::LocalRedis;
use factorial_sim::Behaviour;
use factorial_tests::{
    Served as _, TestSentinels,
    system::{Setup, System, agent, ask},
};
use serde_json::json;

use super::{Load, on};

async fn watched() -> Arc<TestSentinels> {
    let started = tokio::task::spawn_blocking(TestSentinels::start).await;
    Arc::new(started.unwrap())
}

async fn system(sentinels: &Arc<TestSentinels>) -> Arc<System> {
    let setup = Setup::fast()
        .on(Arc::clone(sentinels) as Arc<_>)
        .agent(agent("plain", json!({})))
        .model(Behaviour::latency(Duration::from_millis(50)));
    let system = Arc::new(System::start(setup).await);
    system.start_worker().await;
    system
}

/// A task that is submitted now runs soon, and everything that was accepted ends, or was lost with the old master.
async fn goes_on(system: Arc<System>, load: Load) {
    let id = system.submit(ask("plain", "after")).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let refused = load.end().await;
    let lost = system.forget_lost().await;
    eprintln!(
        "{refused} submissions were told to come again, {} accepted tasks were lost",
        lost.len()
    );
    assert!(!lost.contains(&id));
    assert!(lost.len() < 20, "{}", lost.len());
    let system = Arc::into_inner(system).expect("nobody else has it");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_master_is_replaced() {
    let sentinels = watched().await;
    let system = system(&sentinels).await;
    let load = Load::start(&system, "plain");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let old = on(&sentinels, TestSentinels::master).await;
    on(&sentinels, move |s| s.control(old, LocalRedis::kill)).await;
    let at = Instant::now();
    let _new = on(&sentinels, move |s| s.replaced(old)).await;
    eprintln!("replaced after {:?}", at.elapsed());
    // It comes back as a replica.
    on(&sentinels, move |s| {
        s.control(old, LocalRedis::restart).expect("it starts")
    })
    .await;
    goes_on(system, load).await;
}

/// The old master lives on as a replica, and answers what is only read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_master_is_left() {
    let sentinels = watched().await;
    let system = system(&sentinels).await;
    let load = Load::start(&system, "plain");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let old = on(&sentinels, TestSentinels::master).await;
    on(&sentinels, |s| s.fail_over()).await;
    let _new = on(&sentinels, move |s| s.replaced(old)).await;
    goes_on(system, load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_master_is_named() {
    let sentinels = watched().await;
    let url = sentinels.url().replace("mymaster", "other");
    let options = StoreOptions::new(url, "wrong".parse().unwrap());
    let opened = Store::connect(&options).await;
    let error = opened.err().expect("it found a master that nobody watches");
    assert!(matches!(error, ConnectError::Redis { .. }), "{error}");
    assert!(error.to_string().contains("no master `other`"), "{error}");
}
