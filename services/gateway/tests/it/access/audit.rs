//! The audit log: every change, who, what, whose, from where, and how it ended.

use serde_json::{Value, json};

use super::{ADMIN, auth, guarded_as};
use crate::support::{Gateway, eventually, submission};

async fn entries(gateway: &Gateway, many: usize) -> Vec<Value> {
    eventually("the entries are written", || async {
        let page = gateway.get_with(ADMIN, "/v1/audit?limit=1000").await;
        let data = page.body["data"].as_array().unwrap().clone();
        (data.len() >= many).then_some(data)
    })
    .await
}

#[tokio::test]
async fn every_change_is_written_down() {
    let mut auth = auth();
    auth.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let gateway = guarded_as(&auth).await;
    let (id, key) = gateway.new_key(&json!({"owner_ids": ["o1"]})).await;
    let made = gateway
        .post_with(
            &key,
            "/v1/tasks",
            &submission(&json!({"query": "a-secret-query"})),
        )
        .await;
    let task = made.id().to_owned();
    gateway.get_with(&key, &format!("/v1/tasks/{task}")).await;
    let path = format!("/v1/tasks/{task}/cancel");
    let cancel = gateway.with_key(&key, reqwest::Method::POST, &path);
    let cancel = cancel.header("x-forwarded-for", "203.0.113.9");
    assert_eq!(gateway.send(cancel).await.status, 200);
    let pause = gateway
        .post_with(&key, "/v1/agents/writer/pause", &json!({}))
        .await;
    assert_eq!((pause.status, pause.code()), (403, "forbidden"));
    let steer = json!({"messages": [{"role": "user", "content": "more"}]});
    gateway
        .post_with(ADMIN, &format!("/v1/tasks/{task}/steer"), &steer)
        .await;
    // Nobody is known here, and a flood of such must not push out the others.
    gateway
        .post_with("nobody", "/v1/tasks", &submission(&json!({})))
        .await;

    let entries = entries(&gateway, 5).await;
    let who = format!("key:{id}");
    let short: Vec<Value> = entries
        .iter()
        .map(|e| {
            json!([
                e["who"],
                e["operation"],
                e["subject"],
                e["owner_id"],
                e["address"],
                e["status"],
                e["code"]
            ])
        })
        .collect();
    let expected = [
        json!([
            "admin_key",
            "steer_task",
            task,
            "o1",
            "127.0.0.1",
            409,
            "task_finished"
        ]),
        json!([
            who,
            "pause_agent",
            null,
            null,
            "127.0.0.1",
            403,
            "forbidden"
        ]),
        json!([who, "cancel_task", task, "o1", "203.0.113.9", 200, null]),
        json!([who, "submit_task", task, "o1", "127.0.0.1", 201, null]),
        json!(["admin_key", "create_key", id, null, "127.0.0.1", 201, null]),
    ];
    assert_eq!(short, expected);
    assert!(entries.iter().all(|entry| entry["request_id"].is_string()));
    let text = json!(entries).to_string();
    assert!(
        !text.contains("a-secret-query") && !text.contains(&key[16..]),
        "{text}"
    );

    // In pages, each once.
    let mut ids = Vec::new();
    let mut path = "/v1/audit?limit=2".to_owned();
    loop {
        let page = gateway.get_with(ADMIN, &path).await.body;
        ids.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["id"].clone()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/audit?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let all: Vec<Value> = entries.iter().map(|e| e["id"].clone()).collect();
    assert_eq!(ids, all);
}

#[tokio::test]
async fn the_log_is_bounded() {
    let mut auth = auth();
    auth.audit_entries = 100;
    let gateway = guarded_as(&auth).await;
    let nothing = json!({});
    for _ in 0..30 {
        let calls = (0..20).map(|_| gateway.post_with(ADMIN, "/v1/agents/writer/resume", &nothing));
        futures::future::join_all(calls).await;
    }
    let newest = gateway.new_key(&json!({})).await.0;
    let kept = eventually("the newest is there", || async {
        let page = gateway.get_with(ADMIN, "/v1/audit?limit=1000").await;
        let data = page.body["data"].as_array().unwrap().clone();
        (data[0]["subject"] == newest.as_str()).then_some(data.len())
    })
    .await;
    assert!((100..=300).contains(&kept), "{kept}");
}
