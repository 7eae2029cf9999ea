//! Webhooks: of owners, of tasks, of batches, and the log of what was told.

use factorial_core::{Leased, Settled};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Gateway, config, gateway, gateway_with};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn add(gateway: &Gateway, changes: &Value) -> crate::support::Answer {
    let mut body = json!({"owner_id": "o1", "url": "https://example.org/hook"});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    gateway.post("/v1/webhooks", &body).await
}

async fn delete(gateway: &Gateway, path: &str) -> crate::support::Answer {
    gateway.send(gateway.request(Method::DELETE, path)).await
}

async fn cancelled(gateway: &Gateway, changes: &Value) -> String {
    let id = gateway.submit(changes).await;
    let answer = gateway
        .post(&format!("/v1/tasks/{id}/cancel"), &json!({}))
        .await;
    assert_eq!(answer.status, 200);
    id
}

async fn deliveries(gateway: &Gateway, path: &str) -> Vec<Value> {
    let answer = gateway.get(path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["data"].as_array().unwrap().clone()
}

/// What a reaper would get now.
async fn due(gateway: &Gateway) -> Vec<Leased> {
    let mut due = Vec::new();
    for partition in gateway.store.all_partitions() {
        let lease = std::time::Duration::from_secs(60);
        let step = gateway.store.due_deliveries(partition, 100, lease).await;
        due.extend(step.unwrap().due);
    }
    due
}

#[tokio::test]
async fn webhooks_of_an_owner_come_and_go() {
    let gateway = gateway_with(config(), 4).await;
    let first = add(&gateway, &json!({})).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(
        first.headers["location"],
        format!("/v1/webhooks/{}", first.id())
    );
    let again = add(&gateway, &json!({})).await;
    assert_eq!((again.status, again.id()), (200, first.id()));
    let other = add(
        &gateway,
        &json!({"event_types": ["run_failed", "run_failed"], "secret": SECRET}),
    )
    .await;
    assert_eq!(other.status, 201);
    assert_eq!(other.body["event_types"], json!(["run_failed"]));
    assert_eq!(
        (&other.body["own_secret"], &first.body["own_secret"]),
        (&json!(true), &json!(false))
    );
    assert!(!other.body.to_string().contains("whsec_"));
    add(&gateway, &json!({"owner_id": "o|2"})).await;
    let listed = gateway.get("/v1/webhooks?owner_id=o1").await;
    assert_eq!(listed.body["data"], json!([first.body, other.body]));
    let path = format!("/v1/webhooks/{}", first.id());
    assert_eq!(gateway.get(&path).await.body, first.body);
    // Another owner's is not there.
    for answer in [
        gateway.get(&format!("{path}?owner_id=o%7C2")).await,
        gateway
            .get(&format!("{path}/deliveries?owner_id=o%7C2"))
            .await,
        delete(&gateway, &format!("{path}?owner_id=o%7C2")).await,
        gateway.get("/v1/webhooks/wh_0").await,
    ] {
        assert_eq!((answer.status, answer.code()), (404, "webhook_not_found"));
    }
    assert_eq!(
        delete(&gateway, &format!("{path}?owner_id=o1"))
            .await
            .status,
        204
    );
    assert_eq!(delete(&gateway, &path).await.status, 404);
    assert_eq!(
        deliveries(&gateway, "/v1/webhooks?owner_id=o1").await.len(),
        1
    );
    // In whatever partition.
    for _ in 0..8 {
        cancelled(&gateway, &json!({})).await;
    }
    assert!(due(&gateway).await.is_empty(), "only failures");
}

#[tokio::test]
async fn an_owner_has_sixteen() {
    let gateway = gateway().await;
    for i in 0..16 {
        let answer = add(
            &gateway,
            &json!({"url": format!("https://example.org/{i}")}),
        )
        .await;
        assert_eq!(answer.status, 201);
    }
    let more = add(&gateway, &json!({})).await;
    assert_eq!((more.status, more.code()), (409, "too_many_webhooks"));
}

#[tokio::test]
async fn what_is_wrong_is_said_and_secrets_are_not_repeated() {
    let gateway = gateway().await;
    let bad = add(
        &gateway,
        &json!({"owner_id": "", "url": "ftp://x", "secret": "whsec_hush"}),
    )
    .await;
    assert_eq!((bad.status, bad.code()), (422, "validation_failed"));
    assert_eq!(bad.fields(), ["/owner_id", "/url", "/secret"]);
    assert!(!bad.body.to_string().contains("hush"));
    for wrong in [
        json!({"event_types": ["run_started"]}),
        json!({"more": 1}),
        json!({"url": null}),
    ] {
        let bad = add(&gateway, &wrong).await;
        assert_eq!(bad.status, 422, "{wrong}");
    }
    let task = |webhook: Value| json!({"agent": "writer", "owner_id": "o1", "query": "q", "webhook": webhook});
    for (webhook, field) in [
        (json!({"url": "x"}), "/webhook/url"),
        (json!({"url": "https://u:p@x/"}), "/webhook/url"),
        (
            json!({"url": "https://x/", "secret": "hush"}),
            "/webhook/secret",
        ),
        (
            json!({"url": "https://x/", "event_types": ["batch_completed"]}),
            "/webhook/event_types",
        ),
    ] {
        let bad = gateway.post("/v1/tasks", &task(webhook)).await;
        assert_eq!((bad.status, bad.fields()), (422, vec![field]));
        assert!(!bad.body.to_string().contains("hush"));
    }
    for (method, path) in [
        (Method::GET, "/v1/webhooks"),
        (Method::GET, "/v1/webhooks/secret"),
        (Method::GET, "/v1/webhooks/x"),
        (Method::POST, "/v1/webhook-deliveries/x/retry"),
    ] {
        let answer = gateway.send(gateway.request(method, path)).await;
        assert_eq!(answer.status, 422, "{path}");
    }
}

#[tokio::test]
async fn owners_have_secrets_of_their_own_that_stay() {
    let gateway = gateway().await;
    let of = async |owner: &str| {
        let answer = gateway
            .get(&format!("/v1/webhooks/secret?owner_id={owner}"))
            .await;
        assert_eq!(answer.body["owner_id"], owner);
        answer.body["secret"].as_str().unwrap().to_owned()
    };
    let (one, other) = (of("o1").await, of("o2").await);
    assert_ne!(one, other);
    assert_eq!(one, of("o1").await);
    assert!(one.starts_with("whsec_") && one.len() > 40);
}

#[tokio::test]
async fn what_was_told_of_a_task_is_listed_and_can_be_told_again() {
    let gateway = gateway().await;
    let hook = add(&gateway, &json!({})).await;
    let own = json!({"webhook": {"url": "https://example.org/own", "secret": SECRET}});
    let id = cancelled(&gateway, &own).await;
    let record = gateway
        .get(&format!("/v1/tasks/{id}"))
        .await
        .body
        .to_string();
    assert!(!record.contains("whsec_") && !record.contains("example.org"));
    let path = format!("/v1/tasks/{id}/webhook-deliveries");
    let listed = deliveries(&gateway, &path).await;
    let ids: Vec<&str> = listed.iter().map(|d| d["id"].as_str().unwrap()).collect();
    assert_eq!(
        ids,
        [format!("{id}.2.task"), format!("{id}.2.{}", hook.id())]
    );
    assert_eq!(
        (&listed[0]["url"], &listed[0]["webhook_id"]),
        (&json!("https://example.org/own"), &Value::Null)
    );
    assert_eq!(
        (&listed[1]["url"], &listed[1]["webhook_id"]),
        (&json!("https://example.org/hook"), &json!(hook.id()))
    );
    for delivery in &listed {
        assert_eq!(
            (&delivery["status"], &delivery["attempts"]),
            (&json!("pending"), &json!(0))
        );
        assert_eq!(
            (&delivery["event_type"], &delivery["task_id"]),
            (&json!("run_cancelled"), &json!(id))
        );
        assert!(delivery["next_attempt_at"].is_string());
    }
    assert_eq!(
        deliveries(&gateway, &format!("/v1/webhooks/{}/deliveries", hook.id())).await,
        listed[1..]
    );
    // What a reaper notes.
    let due = due(&gateway).await;
    for (leased, outcome, said) in [
        (0, Settled::Failed, "timeout"),
        (1, Settled::Delivered, "202"),
    ]
    .map(|(i, outcome, said)| (&due[i], outcome, said))
    {
        let took = std::time::Duration::ZERO;
        assert!(
            gateway
                .store
                .settle_delivery(leased, outcome, said, took)
                .await
                .unwrap()
        );
    }
    let mut ended = deliveries(&gateway, &path).await;
    ended.sort_by_key(|d| d["status"].to_string());
    assert_eq!(
        (
            &ended[0]["status"],
            &ended[0]["last_status"],
            &ended[0]["last_error"]
        ),
        (&json!("delivered"), &json!(202), &Value::Null)
    );
    assert_eq!(
        (
            &ended[1]["status"],
            &ended[1]["last_status"],
            &ended[1]["last_error"]
        ),
        (&json!("failed"), &Value::Null, &json!("timeout"))
    );
    assert!(
        ended
            .iter()
            .all(|d| d["next_attempt_at"].is_null() && d["ended_at"].is_string())
    );
    let retry = |id: &str, owner: &str| {
        let path = format!("/v1/webhook-deliveries/{id}/retry?owner_id={owner}");
        gateway.send(gateway.request(Method::POST, &path))
    };
    let failed = ended[1]["id"].as_str().unwrap();
    let refused = retry(failed, "o2").await;
    assert_eq!(
        (refused.status, refused.code()),
        (404, "delivery_not_found")
    );
    let again = retry(failed, "o1").await;
    assert_eq!(
        (again.status, &again.body["status"]),
        (200, &json!("pending"))
    );
    // Another owner sees nothing; a task without webhooks has an empty list; one that is not there is not there.
    assert_eq!(
        gateway.get(&format!("{path}?owner_id=o2")).await.code(),
        "task_not_found"
    );
    let quiet = gateway
        .submit(&json!({"delay_seconds": 60, "owner_id": "o2"}))
        .await;
    assert!(
        deliveries(&gateway, &format!("/v1/tasks/{quiet}/webhook-deliveries"))
            .await
            .is_empty()
    );
    let none = "/v1/tasks/0-01k0a1b2c3d4e5f6g7h8j9kamn/webhook-deliveries";
    assert_eq!(gateway.get(none).await.code(), "task_not_found");
}

#[tokio::test]
async fn a_batch_is_told_of_as_its_setting_says() {
    let gateway = gateway().await;
    let members = json!([{"query": "a"}, {"query": "b", "webhook": {"url": "https://b.example/"}}]);
    let body = |webhook: Value| json!({"owner_id": "o1", "agent": "writer", "tasks": members, "webhook": webhook});
    let bad = gateway
        .post("/v1/batches", &body(json!({"url": "x"})))
        .await;
    assert_eq!((bad.status, bad.fields()), (422, vec!["/webhook/url"]));
    let types = |due: Vec<Leased>| {
        let mut types: Vec<String> = due
            .iter()
            .map(|l| {
                let url = &l.delivery.receiver.as_ref().unwrap().url;
                format!("{} {url}", l.delivery.event.event_type)
            })
            .collect();
        types.sort();
        types
    };
    let end = async |batch: &crate::support::Answer| {
        assert_eq!(batch.status, 201, "{batch:?}");
        let path = format!("/v1/batches/{}", batch.id());
        gateway.post(&format!("{path}/cancel"), &json!({})).await;
        let listed = deliveries(&gateway, &format!("{path}/webhook-deliveries")).await;
        (types(due(&gateway).await), listed.len())
    };
    let silent = gateway
        .post("/v1/batches", &body(json!({"url": "https://x/"})))
        .await;
    let expected = [
        "batch_cancelled https://x/",
        "run_cancelled https://b.example/",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(end(&silent).await, (expected, 1));
    let all = json!({"url": "https://x/", "event_types": ["run_cancelled", "run_failed"]});
    let telling = gateway.post("/v1/batches", &body(all)).await;
    let expected = [
        "run_cancelled https://b.example/",
        "run_cancelled https://x/",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(end(&telling).await, (expected, 1));
    // As lines, with parameters.
    let lines = |query: &str| {
        let request = gateway.request(
            Method::POST,
            &format!("/v1/batches?owner_id=o1&agent=writer&{query}"),
        );
        gateway.send(
            request
                .header("content-type", "application/x-ndjson")
                .body("{\"query\":\"a\"}\n"),
        )
    };
    let batch =
        lines("webhook_url=https%3A%2F%2Fx%2F&webhook_event_types=run_cancelled,batch_cancelled")
            .await;
    let expected = ["batch_cancelled https://x/", "run_cancelled https://x/"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(end(&batch).await, (expected, 2));
    for (query, field) in [
        ("webhook_url=x", "webhook_url"),
        (
            "webhook_url=https%3A%2F%2Fx&webhook_event_types=x",
            "webhook_event_types",
        ),
        ("webhook_event_types=run_failed", "webhook_event_types"),
    ] {
        let bad = lines(query).await;
        assert_eq!((bad.status, bad.fields()), (422, vec![field]));
    }
}
