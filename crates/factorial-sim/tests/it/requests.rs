//! Requests that the provider would refuse.

use factorial_sim::SimConfig;
use serde_json::{Value, json};

use crate::support::*;

async fn refused(h: &Harness, body: &Value) -> Value {
    let response = h.post(body).await;
    assert_eq!(response.status(), 400, "{body}");
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["type"], "invalid_request_error");
    assert!(!error["error"]["message"].as_str().unwrap().is_empty());
    error["error"].clone()
}

#[tokio::test]
async fn bodies_that_are_no_request() {
    let h = Harness::start().await;
    for body in [
        "",
        "{",
        "[]",
        "\u{0}",
        "{\"model\": 5}",
        "{\"model\": \"m\"}",
    ] {
        let response = h.http.post(h.url()).body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body:?}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["type"], "invalid_request_error");
    }
    let deep = "[".repeat(10_000);
    let response = h.http.post(h.url()).body(deep).send().await.unwrap();
    assert_eq!(response.status(), 400);
    let bytes = b"{\"model\": \"\xff\", \"messages\": []}".to_vec();
    let response = h.http.post(h.url()).body(bytes).send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn values_that_the_provider_refuses() {
    let h = Harness::start().await;
    let ok = ask("hello");
    for (field, value) in [
        ("messages", json!([])),
        ("messages", json!([{"role": "king", "content": "x"}])),
        ("model", json!("")),
        ("tools", json!([])),
        ("tools", json!([tool("no spaces", &json!({}))])),
        ("tool_choice", json!("required")),
        (
            "tool_choice",
            json!({"type": "function", "function": {"name": "x"}}),
        ),
        ("response_format", json!({"type": "json_schema"})),
        ("stream_options", json!({"include_usage": true})),
        ("max_tokens", json!(0)),
        ("n", json!(2)),
    ] {
        refused(&h, &with(ok.clone(), field, value)).await;
    }
    assert_eq!(h.sim.stats().by_status, [(400, 11)].into());
}

#[tokio::test]
async fn tool_messages_out_of_order() {
    let h = Harness::start().await;
    let body = ask_with_tool("[[sim:calls=2]] go");
    let call = h.chat(&body).await;
    let complete = answered(body, &call, "r");
    h.chat(&complete).await;
    let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut body = complete.clone();
        edit(body["messages"].as_array_mut().unwrap());
        body
    };
    let lost = edited(&|m| drop(m.pop()));
    let doubled = edited(&|m| m.push(m.last().unwrap().clone()));
    let orphan = edited(&|m| drop(m.remove(2)));
    let interrupted = edited(&|m| m.insert(3, json!({"role": "user", "content": "stop"})));
    for body in [lost, doubled, orphan, interrupted] {
        let error = refused(&h, &body).await;
        assert!(error["param"].as_str().unwrap().starts_with("messages["));
    }
}

#[tokio::test]
async fn unknown_models_urls_and_methods() {
    let config = SimConfig {
        models: vec!["gpt-test".into(), "other".into()],
        ..SimConfig::default()
    };
    let h = Harness::with(config).await;
    h.chat(&ask("hello")).await;
    let response = h.post(&with(ask("hello"), "model", "gone".into())).await;
    assert_eq!(response.status(), 404);
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], "model_not_found");

    let models = format!("{}/models", h.sim.base_url());
    let list: Value = h
        .http
        .get(&models)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["data"][1]["id"], "other");

    let response = h.http.get(format!("{models}/x/y")).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], "unknown_url");
    assert_eq!(h.http.get(h.url()).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn bodies_beyond_the_limit() {
    let config = SimConfig {
        max_body_bytes: 1_000,
        ..SimConfig::default()
    };
    let h = Harness::with(config).await;
    let response = h.post(&ask(&"x".repeat(2_000))).await;
    assert_eq!(response.status(), 413);
    let error: Value = response.json().await.unwrap();
    assert!(error["error"]["message"].is_string());
}
