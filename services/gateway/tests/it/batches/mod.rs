//! Batches, from the first byte of a submission to the last result.

mod bad;
mod big;
mod cancel;
mod outage;
mod progress;
mod results;
mod submit;

use std::time::Duration;

use factorial_core::BatchId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Gateway};

/// Submits lines as they are.
pub(crate) async fn lines(
    gateway: &Gateway,
    query: &str,
    body: impl Into<reqwest::Body>,
) -> Answer {
    keyed(gateway, query, body, None).await
}

pub(crate) async fn keyed(
    gateway: &Gateway,
    query: &str,
    body: impl Into<reqwest::Body>,
    key: Option<&str>,
) -> Answer {
    let request = gateway
        .request(Method::POST, &format!("/v1/batches?{query}"))
        .header("content-type", "application/x-ndjson")
        .timeout(Duration::from_secs(120))
        .body(body);
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    gateway.send(request).await
}

/// So many good lines, each with its own name.
pub(crate) fn good(count: usize) -> String {
    (0..count)
        .map(|n| format!("{{\"query\":\"q{n}\",\"custom_id\":\"c{n}\"}}\n"))
        .collect()
}

/// A batch of `writer` and owner `o1` with so many members.
pub(crate) async fn batch(gateway: &Gateway, count: usize, query: &str) -> BatchId {
    let query = format!("owner_id=o1&agent=writer&{query}");
    let answer = lines(gateway, query.trim_end_matches('&'), good(count)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.id().parse().unwrap()
}

pub(crate) async fn view(gateway: &Gateway, id: &BatchId) -> Value {
    let answer = gateway.get(&format!("/v1/batches/{id}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// All events of a batch.
pub(crate) async fn events(gateway: &Gateway, id: &BatchId) -> Vec<Value> {
    let answer = gateway
        .get(&format!("/v1/batches/{id}/events?limit=1000"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["has_more"], json!(false));
    let events = answer.body["data"].as_array().unwrap().clone();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event["seq"], json!(seq));
    }
    events
}

/// Types of the events that end a batch.
pub(crate) fn ends(events: &[Value]) -> Vec<&str> {
    let types = events.iter().map(|e| e["event_type"].as_str().unwrap());
    types
        .filter(|t| matches!(*t, "batch_completed" | "batch_cancelled"))
        .collect()
}
