//! Many tasks at once.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Dashboard, dashboard, dashboard_with};

/// Works through all of it, as the page does; what was done, and what was refused.
async fn all(dashboard: &Dashboard, mut request: Value) -> (u64, u64) {
    let (mut done, mut refused) = (0, 0);
    loop {
        let answer = dashboard.post("/tasks/bulk", &request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let part = answer.json();
        done += part["done"].as_u64().unwrap();
        refused += part["refused"].as_u64().unwrap();
        match &part["next_cursor"] {
            Value::Null => return (done, refused),
            next => request["cursor"] = next.clone(),
        }
    }
}

#[tokio::test]
async fn those_that_fit_are_cancelled_and_run_again() {
    let dashboard = dashboard_with(4).await;
    for n in 0..24 {
        let agent = if n % 2 == 0 { "writer" } else { "reader" };
        dashboard.submit(agent, &format!("o{}", n % 3)).await;
    }
    let claimed = dashboard.claim("writer", 3).await;
    dashboard.finish(&claimed[0], true).await;
    dashboard.finish(&claimed[1], false).await;

    let cancel = json!({"action": "cancel", "filter": {"agent": "writer"}, "reason": "enough"});
    assert_eq!(
        all(&dashboard, cancel.clone()).await,
        (10, 0),
        "12, of which 2 had ended"
    );
    assert_eq!(all(&dashboard, cancel).await, (0, 0));
    let task = &dashboard.ask("/tasks?status=cancelled&limit=1").await["data"][0];
    assert_eq!(task["cancel_reason"], "enough");
    let future =
        json!({"status": ["failed", "cancelled"], "finished_after": "2099-01-01T00:00:00Z"});
    let none = json!({"action": "retry", "filter": future});
    assert_eq!(all(&dashboard, none).await, (0, 0));
    let retry = json!({"action": "retry", "filter": {"owner_id": "o0"}});
    let (retried, 0) = all(&dashboard, retry).await else {
        panic!("some were refused");
    };
    let retry = json!({"action": "retry", "filter": {}});
    assert_eq!(all(&dashboard, retry).await, (11 - retried, 0));
    let overview = dashboard.ask("/overview").await;
    assert_eq!(overview["counts"]["queued"], 23);
    assert_eq!(overview["counts"]["completed"], 1);
}

#[tokio::test]
async fn those_that_are_named_are_changed() {
    let dashboard = dashboard().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(dashboard.submit("writer", "o").await);
    }
    let claimed = dashboard.claim("writer", 1).await;
    dashboard.finish(&claimed[0], true).await;
    let cancel = json!({"action": "cancel", "ids": ids});
    assert_eq!(all(&dashboard, cancel).await, (2, 1));
    let retry = json!({"action": "retry", "ids": ids, "filter": null});
    assert_eq!(all(&dashboard, retry).await, (2, 1));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let dashboard = dashboard().await;
    for body in [
        json!({"action": "cancel"}),
        json!({"action": "cancel", "filter": {}, "ids": []}),
        json!({"action": "delete", "filter": {}}),
        json!({"action": "cancel", "filter": {"status": ["completed"]}}),
        json!({"action": "retry", "filter": {"status": ["queued"]}}),
        json!({"action": "retry", "filter": {"owner_id": "a b"}}),
        json!({"action": "retry", "filter": {"tag": "x"}}),
        json!({"action": "retry", "ids": ["x"]}),
        json!({"action": "retry", "ids": vec!["0-01hf7yat000000000000000010"; 1001]}),
        json!({"action": "cancel", "filter": {}, "cursor": "nonsense"}),
        json!({"action": "cancel", "filter": {}, "reason": "x".repeat(501)}),
    ] {
        let answer = dashboard.post("/tasks/bulk", &body).await;
        assert!(answer.status.is_client_error(), "{body}: {}", answer.text);
    }
}
