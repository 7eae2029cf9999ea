//! The dashboard over real HTTP, on a real Redis.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use factorial_core::{Namespace, Store, StoreOptions};
use factorial_dashboard::DashboardOptions;
use factorial_local_redis::{LocalRedis, Options};
use factorial_service::{Health, Shutdown};
use reqwest::{Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

struct Dashboard {
    url: String,
    redis: LocalRedis,
    shutdown: Shutdown,
    task: JoinHandle<()>,
}

async fn start(name: &str, api_docs: Option<&str>) -> Dashboard {
    let redis = tokio::task::spawn_blocking(|| LocalRedis::start(Options::default()).unwrap())
        .await
        .unwrap();
    let options = StoreOptions {
        timeout: Duration::from_millis(500),
        ..StoreOptions::new(redis.url(), Namespace::new("dashboard").unwrap())
    };
    let store = Store::connect(&options).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    let stop = shutdown.clone();
    let options = DashboardOptions {
        name: name.to_owned(),
        api_docs: api_docs.map(str::to_owned),
    };
    let task = tokio::spawn(async move {
        factorial_dashboard::run(listener, store, options, &Health::new(), &stop)
            .await
            .unwrap();
    });
    Dashboard {
        url,
        redis,
        shutdown,
        task,
    }
}

impl Dashboard {
    async fn get(&self, path: &str) -> Response {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap()
    }

    async fn json(&self, path: &str) -> (StatusCode, serde_json::Value) {
        let response = self.get(path).await;
        (response.status(), response.json().await.unwrap())
    }
}

#[tokio::test]
async fn health_says_whether_redis_answers() {
    let mut dashboard = start("Factorial", None).await;
    let (status, health) = dashboard.json("/").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(health["status"], "ok");
    assert_eq!(health["service"], "factorial-dashboard");

    dashboard.redis.pause().unwrap();
    let (status, health) = dashboard.json("/").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health["status"], "degraded");
    assert_eq!(dashboard.get("/livez").await.status(), StatusCode::OK);
    assert_eq!(dashboard.get("/readyz").await.status(), StatusCode::OK);
    dashboard.redis.resume().unwrap();
}

#[tokio::test]
async fn the_page_is_honest_and_closed() {
    let dashboard = start("<Ops> {version}", Some("http://127.0.0.1:8000/docs")).await;
    let response = dashboard.get("/observability").await;
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = response.text().await.unwrap();
    assert!(page.contains("&lt;Ops&gt; {version}"), "{page}");
    assert!(page.contains("not part of this version yet"), "{page}");
    assert!(
        page.contains("href=\"http://127.0.0.1:8000/docs\""),
        "{page}"
    );
    let style = dashboard.get("/observability/style.css").await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");

    let (status, problem) = dashboard.json("/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["code"], "route_not_found");
}

#[tokio::test]
async fn it_ends_when_told() {
    let dashboard = start("Factorial", None).await;
    assert_eq!(dashboard.get("/readyz").await.status(), StatusCode::OK);
    dashboard.shutdown.start_drain();
    tokio::time::timeout(Duration::from_secs(10), dashboard.task)
        .await
        .unwrap()
        .unwrap();
}
