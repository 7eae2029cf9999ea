//! The same key: the same task, or a refusal.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Gateway, config, gateway_with, submission};

async fn submit(gateway: &Gateway, key: &str, changes: &Value) -> Answer {
    let request = gateway
        .request(Method::POST, "/v1/tasks")
        .json(&submission(changes));
    gateway.send(request.header("idempotency-key", key)).await
}

#[tokio::test]
async fn the_same_request_is_accepted_once() {
    let gateway = gateway_with(config(), 4).await;
    let first = submit(&gateway, "k", &json!({})).await;
    assert_eq!(first.status, 201);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = submit(&gateway, "k", &json!({})).await;
    assert_eq!((again.status, again.id()), (200, first.id()));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["location"], first.headers["location"]);
    // The form does not count.
    let spaced = format!(
        " {{ \"query\" : \"\\u0071\", \"stream\": false, {} ",
        &submission(&json!({})).to_string()[1..]
            .replace("\"query\":\"q\",", "")
            .replace(",\"query\":\"q\"", "")
    );
    let request = gateway
        .request(Method::POST, "/v1/tasks")
        .header("content-type", "application/json");
    let again = gateway
        .send(request.body(spaced).header("idempotency-key", "k"))
        .await;
    assert_eq!((again.status, again.id()), (200, first.id()), "{again:?}");

    let other = submit(&gateway, "k", &json!({"query": "other"})).await;
    assert_eq!(
        (other.status, other.code()),
        (409, "idempotency_key_reused")
    );
    // Keys belong to an owner.
    let others = submit(&gateway, "k", &json!({"owner_id": "o2"})).await;
    assert_eq!(others.status, 201);
    assert_ne!(others.id(), first.id());
}

#[tokio::test]
async fn racing_requests_make_one_task() {
    let gateway = gateway_with(config(), 4).await;
    for round in 0..5 {
        let (key, changes) = (format!("race-{round}"), json!({}));
        let answers =
            futures::future::join_all((0..20).map(|_| submit(&gateway, &key, &changes))).await;
        let ids: BTreeSet<_> = answers.iter().map(Answer::id).collect();
        assert_eq!(ids.len(), 1);
        let created = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(created, 1);
    }
    let listed = gateway.get("/v1/tasks").await;
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_key_holds_where_the_task_lives_elsewhere() {
    let gateway = gateway_with(config(), 4).await;
    let hand = gateway.hand();
    let first = gateway.submit(&json!({})).await;
    hand.complete(&hand.claim().await, Some(json!("x"))).await;
    let next = json!({"previous_task_id": first});
    for key in ["a", "b", "c", "d", "e", "f"] {
        let accepted = submit(&gateway, key, &next).await;
        assert_eq!(accepted.status, 201, "{accepted:?}");
        let again = submit(&gateway, key, &next).await;
        assert_eq!((again.status, again.id()), (200, accepted.id()));
        let other = submit(&gateway, key, &json!({})).await;
        assert_eq!(other.status, 409);
    }
}

#[tokio::test]
async fn keys_have_bounds() {
    let gateway = gateway_with(config(), 1).await;
    let longest = "x".repeat(255);
    assert_eq!(submit(&gateway, &longest, &json!({})).await.status, 201);
    for bad in ["", "a b", &"x".repeat(256)] {
        let answer = submit(&gateway, bad, &json!({})).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["Idempotency-Key"]),
            "{bad:?}"
        );
    }
    let request = gateway
        .request(Method::POST, "/v1/tasks")
        .json(&submission(&json!({})));
    let request = request
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    assert_eq!(gateway.send(request).await.status, 422);
}
