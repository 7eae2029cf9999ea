//! Redis goes away: a clear refusal in under a second, and everything works again when it is back.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Gateway, eventually, impatient_gateway, submission};

async fn each_operation(gateway: &Gateway, id: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let steer = json!({"messages": [{"role": "user", "content": "c"}]});
    let requests = [
        gateway
            .request(Method::POST, "/v1/tasks")
            .json(&submission(&json!({}))),
        gateway
            .request(Method::POST, "/v1/tasks")
            .json(&submission(&json!({"agent": "unknown"}))),
        gateway.request(Method::GET, "/v1/tasks"),
        gateway.request(Method::GET, &format!("/v1/tasks/{id}")),
        gateway.request(Method::GET, &format!("/v1/tasks/{id}/result?wait=30")),
        gateway.request(Method::GET, &format!("/v1/tasks/{id}/messages")),
        gateway.request(Method::GET, &format!("/v1/tasks/{id}/events")),
        gateway
            .request(Method::GET, &format!("/v1/tasks/{id}/events"))
            .header("accept", "text/event-stream"),
        gateway.request(Method::POST, &format!("/v1/tasks/{id}/cancel")),
        gateway
            .request(Method::POST, &format!("/v1/tasks/{id}/steer"))
            .json(&steer),
        gateway.request(Method::POST, &format!("/v1/tasks/{id}/retry")),
        gateway
            .request(Method::POST, "/v1/batches")
            .json(&json!({"owner_id": "o1", "tasks": []})),
        gateway.request(Method::GET, "/v1/batches"),
        gateway.request(Method::GET, &format!("/v1/batches/{id}")),
        gateway.request(Method::GET, &format!("/v1/batches/{id}/results")),
        gateway.request(Method::POST, &format!("/v1/batches/{id}/cancel")),
        gateway.request(Method::GET, "/v1/agents"),
        gateway.request(Method::GET, "/v1/workers"),
    ];
    for request in requests {
        let asked = Instant::now();
        answers.push(gateway.send(request).await);
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "{:?}",
            asked.elapsed()
        );
    }
    answers
}

async fn refuses_everything(gateway: &Gateway, id: &str) {
    for answer in each_operation(gateway, id).await {
        assert_eq!(
            (answer.status, answer.code()),
            (503, "store_unavailable"),
            "{answer:?}"
        );
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(answer.body["detail"].is_null(), "{answer:?}");
    }
    let asked = Instant::now();
    let health = gateway.get("/").await;
    assert_eq!(
        (health.status, &health.body["status"]),
        (503, &json!("degraded"))
    );
    assert!(asked.elapsed() < Duration::from_secs(1));
}

async fn works_again(gateway: &Gateway, id: &str) {
    eventually("an answer", async || {
        (gateway.get("/").await.status == 200).then_some(())
    })
    .await;
    let task = gateway.get(&format!("/v1/tasks/{id}")).await;
    assert_eq!((task.status, &task.body["status"]), (200, &json!("queued")));
    gateway.submit(&json!({})).await;
}

#[tokio::test]
async fn redis_killed_and_started_again() {
    let mut gateway = impatient_gateway().await;
    let id = gateway.submit(&json!({})).await;
    gateway.redis.kill();
    refuses_everything(&gateway, &id).await;
    gateway.redis.restart().unwrap();
    works_again(&gateway, &id).await;
}

#[tokio::test]
async fn redis_that_hangs() {
    let mut gateway = impatient_gateway().await;
    let id = gateway.submit(&json!({})).await;
    gateway.redis.pause().unwrap();
    refuses_everything(&gateway, &id).await;
    gateway.redis.resume().unwrap();
    works_again(&gateway, &id).await;
}
