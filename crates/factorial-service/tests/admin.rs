//! The admin port over real HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;
use std::time::Duration;

use factorial_service::config::{LogConfig, WorkerRole, defaults};
use factorial_service::{Health, HealthcheckError, healthcheck, run_admin, telemetry};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(10);

fn log() -> LogConfig {
    defaults::<WorkerRole>().unwrap().log
}

struct Server {
    address: SocketAddr,
    health: Health,
    shutdown: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Server {
    let metrics = telemetry::init(&log(), "factorial-test").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, shutdown) = (Health::new(), CancellationToken::new());
    let task = tokio::spawn(run_admin(
        listener,
        health.clone(),
        metrics,
        shutdown.clone(),
    ));
    Server {
        address,
        health,
        shutdown,
        task,
    }
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let response = reqwest::get(self.url(path)).await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn ready_when_all_components_are() {
    let server = start().await;
    assert_eq!(server.get("/readyz").await.0, 503);
    let gateway = server.health.component("gateway");
    let worker = server.health.component("worker");
    gateway.ready(true);
    let (status, body) = server.get("/readyz").await;
    assert_eq!(
        (status, &body["waiting_for"][0]),
        (503, &Value::from("worker"))
    );
    worker.ready(true);
    assert_eq!(server.get("/readyz").await.0, 200);
    healthcheck(&server.url("/readyz"), LIMIT).await.unwrap();
    gateway.ready(false);
    assert_eq!(server.get("/readyz").await.0, 503);
    let refused = healthcheck(&server.url("/readyz"), LIMIT).await;
    assert!(
        matches!(refused, Err(HealthcheckError::Status(503))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn dead_when_a_loop_makes_no_progress() {
    let server = start().await;
    assert_eq!(server.get("/livez").await.0, 200);
    let steady = server
        .health
        .progress("heartbeat", Duration::from_secs(3600));
    let stuck = server.health.progress("claims", Duration::from_millis(20));
    let deadline = Instant::now() + LIMIT;
    let body = loop {
        let (status, body) = server.get("/livez").await;
        if status == 503 {
            break body;
        }
        assert!(Instant::now() < deadline, "never noticed");
        tokio::task::yield_now().await;
    };
    let stalled: Vec<_> = body["loops"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|age| age["stalled"] == true)
        .collect();
    assert_eq!(stalled.len(), 1);
    assert_eq!(stalled[0]["component"], "claims");
    steady.tick();
    // A loop that panicked drops its handle, and is still missed.
    drop(steady);
    assert_eq!(
        server.get("/livez").await.1["loops"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    stuck.finish();
    assert_eq!(server.get("/livez").await.0, 200);
}

#[test]
fn a_tick_restarts_the_age() {
    let health = Health::new();
    let progress = health.progress("loop", Duration::from_secs(10));
    let later = Instant::now() + Duration::from_secs(11);
    let age = || health.ages(later)[0].clone();
    let before = age();
    assert!(before.stalled && before.age_seconds >= 10.0);
    while Instant::now() == later - Duration::from_secs(11) {}
    progress.tick();
    assert!(age().age_seconds < before.age_seconds);
}

#[tokio::test]
async fn metrics_have_buckets_in_seconds() {
    let server = start().await;
    // A second start in the same process gets the same recorder.
    telemetry::init(&log(), "factorial-test").unwrap();
    metrics::histogram!("factorial_test_wait_seconds").record(0.003);
    metrics::histogram!("factorial_test_reply_bytes").record(300.0);
    let _loop = server.health.progress("loop", LIMIT);
    let response = reqwest::get(server.url("/metrics")).await.unwrap();
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let text = response.text().await.unwrap();
    for expected in [
        "factorial_process_info{service=\"factorial-test\",version=\"",
        "factorial_test_wait_seconds_bucket{le=\"0.0025\"} 0",
        "factorial_test_wait_seconds_bucket{le=\"0.005\"} 1",
        "factorial_test_reply_bytes_bucket{le=\"1024\"} 1",
        "factorial_health_progress_age_seconds{component=\"loop\"}",
    ] {
        assert!(text.contains(expected), "missing {expected} in:\n{text}");
    }
}

#[tokio::test]
async fn ends_when_told_even_with_an_idle_connection() {
    let server = start().await;
    let idle = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    server.shutdown.cancel();
    tokio::time::timeout(LIMIT, server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    drop(idle);
    let gone = healthcheck(&format!("http://{}/livez", server.address), LIMIT).await;
    assert!(matches!(gone, Err(HealthcheckError::Io(_))), "{gone:?}");
}

#[tokio::test]
async fn healthcheck_gives_up_and_refuses_other_schemes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let outcome = healthcheck(&silent, Duration::from_millis(50)).await;
    assert!(
        matches!(outcome, Err(HealthcheckError::Timeout(_))),
        "{outcome:?}"
    );
    for url in ["https://127.0.0.1/", "nonsense", "http:"] {
        let outcome = healthcheck(url, LIMIT).await;
        assert!(
            matches!(outcome, Err(HealthcheckError::Url(_))),
            "{url}: {outcome:?}"
        );
    }
}
