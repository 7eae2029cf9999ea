//! `/livez` and `/readyz` while Redis goes away, for all and for one process.

use std::time::Duration;

use factorial_core::{Namespace, Store, StoreOptions};
use factorial_local_redis::Listen;
use factorial_service::{Health, watch_redis};
use factorial_tests::{
    TestRedis, eventually,
    system::{Process, Proxy, Setup, System, agent},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::SOON;

/// Longer than the longest time without a tick that the loops of the system below may have.
const AWAY: Duration = Duration::from_secs(6);

async fn ready(process: &Process, expected: u16) {
    eventually(SOON, async || {
        let (status, body) = process.admin("/readyz").await;
        if status == 503 {
            assert!(body.contains(r#""redis""#), "{body}");
        }
        (status == expected).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_all_are_alive_and_none_is_ready() {
    let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[]))
        .await
        .unwrap();
    let setup = Setup::fast()
        .redis(redis)
        .reaper("--maintenance-interval", "0.5")
        .agent(agent("plain", json!({})));
    let system = System::start(setup).await;
    system.start_worker().await;
    let processes = system.running();
    assert_eq!(processes.len(), 3);
    for process in &processes {
        ready(process, 200).await;
    }
    let redis = std::sync::Arc::clone(system.redis());
    let stopped = tokio::task::spawn_blocking(move || redis.control(|redis| redis.stop()));
    stopped.await.unwrap().unwrap();
    for process in &processes {
        ready(process, 503).await;
    }
    let until = Instant::now() + AWAY;
    while Instant::now() < until {
        for process in &processes {
            let (status, body) = process.admin("/livez").await;
            assert_eq!(status, 200, "{}: {body}", process.name());
        }
        sleep(Duration::from_millis(250)).await;
    }
    let redis = std::sync::Arc::clone(system.redis());
    let started = tokio::task::spawn_blocking(move || redis.control(|redis| redis.restart()));
    started.await.unwrap().unwrap();
    for process in &processes {
        ready(process, 200).await;
        assert_eq!(process.admin("/livez").await.0, 200);
    }
    system.finish().await;
}

/// Seconds since the watched connections made progress.
fn age(health: &Health) -> f64 {
    health.ages(Instant::now())[0].age_seconds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_alone_cannot_reach_redis_makes_no_progress() {
    let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Tcp { port: 0 }, &[]))
        .await
        .unwrap();
    let proxy = Proxy::start(redis.url()).await;
    let options = |url: &str| StoreOptions {
        timeout: Duration::from_millis(300),
        ..StoreOptions::new(url, Namespace::new("probes").unwrap())
    };
    let store = Store::connect(&options(&proxy.url())).await.unwrap();
    // Fresh connections do not go through the proxy.
    let health = Health::new();
    let _watch = watch_redis(store, options(redis.url()), &health);
    let waiting = || health.waiting_for().unwrap();
    eventually(SOON, async || waiting().is_empty().then_some(())).await;
    proxy.cut();
    eventually(SOON, async || (age(&health) > 5.0).then_some(())).await;
    assert_eq!(waiting(), ["redis"]);
    // Now it is Redis that is away: no reason to restart.
    let server = std::sync::Arc::clone(&redis);
    let stopped = tokio::task::spawn_blocking(move || server.control(|redis| redis.stop()));
    stopped.await.unwrap().unwrap();
    eventually(SOON, async || (age(&health) < 2.5).then_some(())).await;
    assert_eq!(waiting(), ["redis"]);
}
