//! How much and how often, and under which name.

use reqwest::Method;
use serde_json::json;

use super::{ADMIN, auth, guarded, guarded_as};
use crate::support::{gateway, submission};

#[tokio::test]
async fn a_key_may_ask_so_often() {
    let gateway = guarded().await;
    let limits = json!({"requests_per_second": 0.5, "burst": 3});
    let (_, key) = gateway.new_key(&limits).await;
    for _ in 0..3 {
        assert_eq!(gateway.get_with(&key, "/v1/tasks").await.status, 200);
    }
    let refused = gateway.get_with(&key, "/v1/tasks").await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    let another = gateway.key("viewer", &[]).await;
    assert_eq!(gateway.get_with(&another, "/v1/tasks").await.status, 200);
}

#[tokio::test]
async fn the_usual_limit_is_that_of_the_settings() {
    let mut auth = auth();
    (auth.key_requests_per_second, auth.key_burst) = (Some(0.01), Some(2));
    let gateway = guarded_as(&auth).await;
    let usual = gateway.key("viewer", &[]).await;
    let (_, own) = gateway
        .new_key(&json!({"requests_per_second": 1000.0}))
        .await;
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(gateway.get_with(&usual, "/v1/tasks").await.status);
        assert_eq!(gateway.get_with(&own, "/v1/tasks").await.status, 200);
        assert_eq!(gateway.get_with(ADMIN, "/v1/tasks").await.status, 200);
    }
    assert_eq!(said, [200, 200, 429]);
}

#[tokio::test]
async fn a_key_may_send_so_much() {
    let gateway = guarded().await;
    let (_, key) = gateway.new_key(&json!({"max_body_bytes": 2048})).await;
    let large = submission(&json!({"query": "x".repeat(3000)}));
    let refused = gateway.post_with(&key, "/v1/tasks", &large).await;
    assert_eq!((refused.status, refused.code()), (413, "payload_too_large"));
    assert_eq!(
        gateway.post_with(ADMIN, "/v1/tasks", &large).await.status,
        201
    );
    let lines = "{\"agent\":\"writer\",\"query\":\"q\"}\n".repeat(100);
    let request = gateway
        .with_key(&key, Method::POST, "/v1/batches?owner_id=o1")
        .header("content-type", "application/x-ndjson");
    let refused = gateway.send(request.body(lines)).await;
    assert_eq!((refused.status, refused.code()), (413, "payload_too_large"));
}

#[tokio::test]
async fn without_keys_only_names_of_this_machine_are_answered() {
    let gateway = gateway().await;
    for (host, status) in [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:1", 200),
        ("rebound.example.com", 421),
        ("192.0.2.1:8000", 421),
    ] {
        let request = gateway
            .request(Method::GET, "/v1/tasks")
            .header("host", host);
        let answer = gateway.send(request).await;
        assert_eq!(answer.status, status, "{host}");
    }
    for (origin, status) in [
        ("http://localhost:3000", 200),
        ("https://evil.example.com", 403),
        ("null", 403),
    ] {
        let request = gateway
            .request(Method::POST, "/v1/agents/writer/resume")
            .header("origin", origin);
        assert_eq!(gateway.send(request).await.status, status, "{origin}");
    }
    // A service with keys has any name: a page of another site has no key.
    let guarded = guarded().await;
    let request = guarded
        .with_key(ADMIN, Method::GET, "/v1/tasks")
        .header("host", "gateway.example.com");
    assert_eq!(guarded.send(request).await.status, 200);
}
