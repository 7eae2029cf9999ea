//! Contexts are what the schema says that the agent was announced with.

use serde_json::{Value, json};

use crate::support::{Gateway, eventually, gateway, submission};

fn schema() -> Value {
    json!({
        "type": "object", "required": ["customer"], "additionalProperties": false,
        "properties": {
            "customer": {"type": "integer", "minimum": 1},
            "region": {"enum": ["eu", "us"]},
            "address": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
        },
    })
}

async fn with_schema() -> Gateway {
    let gateway = gateway().await;
    gateway
        .hand()
        .announce_with(&["support"], Some(schema()))
        .await;
    gateway
}

#[tokio::test]
async fn a_context_that_does_not_fit_is_refused_at_its_fields() {
    let gateway = with_schema().await;
    let support = |context: &Value| submission(&json!({"agent": "support", "context": context}));
    for (context, wrong) in [
        (json!(null), vec![("/context/customer", "is required")]),
        (json!({}), vec![("/context/customer", "is required")]),
        (json!(7), vec![("/context", "7 is not of type \"object\"")]),
        (
            json!({"customer": 0, "region": "mars", "colour": 1, "address": {}}),
            vec![
                ("/context/address/city", "is required"),
                ("/context/colour", "is not a known property"),
                ("/context/customer", "0 is less than the minimum of 1"),
                ("/context/region", "\"mars\" is not one of \"eu\" or \"us\""),
            ],
        ),
    ] {
        let refused = gateway.post("/v1/tasks", &support(&context)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (422, "validation_failed"),
            "{refused:?}"
        );
        let errors = refused.body["errors"].as_array().unwrap().iter();
        let mut told: Vec<_> = errors
            .map(|e| (e["field"].as_str().unwrap(), e["message"].as_str().unwrap()))
            .collect();
        told.sort_unstable();
        assert_eq!(told, wrong, "{context}");
    }
    let absent = submission(&json!({"agent": "support"}));
    let refused = gateway.post("/v1/tasks", &absent).await;
    assert_eq!(refused.fields(), ["/context/customer"]);
    assert_eq!(gateway.get("/v1/tasks").await.body["data"], json!([]));

    let sound = json!({"customer": 48211, "address": {"city": "Lisbon"}});
    let accepted = gateway.post("/v1/tasks", &support(&sound)).await;
    assert_eq!(accepted.status, 201, "{accepted:?}");
    // Agents without a schema take anything.
    gateway.submit(&json!({"context": {"colour": [1]}})).await;
}

#[tokio::test]
async fn members_of_a_batch_are_judged_too() {
    let gateway = with_schema().await;
    let member = |context: Value| json!({"query": "q", "context": context});
    let batch = |tasks: Value| json!({"owner_id": "o1", "agent": "support", "tasks": tasks});
    let mixed = batch(
        json!([member(json!({"customer": 1})), member(json!({"customer": "x"})), {"query": "q"}]),
    );
    let refused = gateway.post("/v1/batches", &mixed).await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "invalid_batch"),
        "{refused:?}"
    );
    let lines = refused.body["batch"]["lines"].as_array().unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|p| (p["line"].as_u64().unwrap(), p["pointer"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(2, "/context/customer"), (3, "/context/customer")]);
    let lines =
        "{\"query\":\"q\",\"context\":{\"customer\":1}}\n{\"query\":\"q\",\"context\":[]}\n";
    let request = gateway
        .request(
            reqwest::Method::POST,
            "/v1/batches?owner_id=o1&agent=support",
        )
        .header("content-type", "application/x-ndjson")
        .body(lines);
    let refused = gateway.send(request).await;
    assert_eq!(
        refused.body["batch"]["lines"][0]["pointer"], "/context",
        "{refused:?}"
    );
    let sound = batch(json!([
        member(json!({"customer": 1})),
        member(json!({"customer": 2}))
    ]));
    let accepted = gateway.post("/v1/batches", &sound).await;
    assert_eq!(accepted.status, 201, "{accepted:?}");
}

#[tokio::test]
async fn the_schema_that_was_announced_last_counts() {
    let gateway = with_schema().await;
    let body = submission(&json!({"agent": "support", "context": {"order": "A-7"}}));
    let refused = gateway.post("/v1/tasks", &body).await;
    let mut fields = refused.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["/context/customer", "/context/order"]);
    let newer = json!({"type": "object", "required": ["order"]});
    gateway
        .hand()
        .announce_with(&["support"], Some(newer))
        .await;
    // The gateway looks every few seconds.
    eventually("the new schema", async || {
        let answer = gateway.post("/v1/tasks", &body).await;
        (answer.status == 201).then_some(())
    })
    .await;
    gateway.hand().announce(&["support"]).await;
    let any = submission(&json!({"agent": "support", "context": [1]}));
    eventually("no schema any more", async || {
        let answer = gateway.post("/v1/tasks", &any).await;
        (answer.status == 201).then_some(())
    })
    .await;
}
