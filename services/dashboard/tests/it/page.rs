//! The page, health, and the end.

use std::time::Duration;

use reqwest::StatusCode;

use crate::support::{PATIENCE, dashboard};

#[tokio::test]
async fn health_says_whether_redis_answers() {
    let dashboard = dashboard().await;
    let health = dashboard.get("/").await;
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(health.json()["status"], "ok");
    assert_eq!(health.json()["service"], "factorial-dashboard");

    dashboard.redis().control(|redis| redis.pause().unwrap());
    let health = dashboard.get("/").await;
    assert_eq!(health.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(health.json()["status"], "degraded");
    assert_eq!(dashboard.get("/livez").await.status, StatusCode::OK);
    assert_eq!(dashboard.get("/readyz").await.status, StatusCode::OK);
    let refused = dashboard.get("/observability/api/tasks").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.json()["code"], "store_unavailable");
    dashboard.redis().control(|redis| redis.resume().unwrap());
}

#[tokio::test]
async fn every_place_of_the_page_is_the_page() {
    let dashboard = dashboard().await;
    let page = dashboard.get("/observability").await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    for place in [
        "/",
        "/tasks",
        "/tasks/0-01hf7yat000000000000000010",
        "/agents/x?window=day",
    ] {
        let place = dashboard.get(&format!("/observability{place}")).await;
        assert_eq!(place.status, StatusCode::OK);
        assert_eq!(place.text, page.text);
    }
    // Not built, it says so; its values are escaped.
    if page.text.contains("cargo xtask page") {
        assert!(page.text.contains("&lt;Ops&gt; {version}"), "{}", page.text);
        let style = dashboard.get("/observability/style.css").await;
        assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    }
    for nowhere in [
        "/nowhere",
        "/observability/assets/gone.js",
        "/observability/api/nothing",
    ] {
        let refused = dashboard.get(nowhere).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{nowhere}");
        assert_eq!(refused.json()["code"], "route_not_found");
    }
}

#[tokio::test]
async fn it_ends_when_told() {
    let dashboard = dashboard().await;
    assert_eq!(dashboard.get("/readyz").await.status, StatusCode::OK);
    let mut socket = dashboard.socket().await;
    socket.subscribe(1, "overview", serde_json::json!({})).await;
    socket.next().await.unwrap();
    dashboard.shutdown.start_drain();
    let mut said = None;
    while let Some(frame) = socket.next().await {
        said = Some(frame);
    }
    assert_eq!(said.unwrap()["type"], "bye");
    tokio::time::timeout(PATIENCE.max(Duration::from_secs(5)), dashboard.running)
        .await
        .unwrap()
        .unwrap();
}
