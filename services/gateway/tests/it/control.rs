//! Cancel, steer, retry.

use serde_json::{Value, json};

use crate::support::{gateway, submission};

#[tokio::test]
async fn cancelling() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    let cancel = format!("/v1/tasks/{id}/cancel");
    let answer = gateway.post(&cancel, &json!({"reason": "enough"})).await;
    assert_eq!(
        (answer.status, &answer.body["status"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(answer.body["cancel_reason"], "enough");
    // Again, with no body at all.
    let again = gateway
        .send(gateway.request(reqwest::Method::POST, &cancel))
        .await;
    assert_eq!(
        (again.status, &again.body["cancel_reason"]),
        (200, &json!("enough"))
    );
    let steer = json!({"messages": [{"role": "user", "content": "c"}]});
    let refused = gateway.post(&format!("/v1/tasks/{id}/steer"), &steer).await;
    assert_eq!((refused.status, refused.code()), (409, "task_finished"));

    let done = gateway.submit(&json!({})).await;
    hand.complete(&hand.claim().await, None).await;
    let refused = gateway
        .post(&format!("/v1/tasks/{done}/cancel"), &json!({}))
        .await;
    assert_eq!((refused.status, refused.code()), (409, "task_finished"));
    assert_eq!(refused.body["detail"], "the task is completed");
}

#[tokio::test]
async fn steering_is_accepted_once_and_capped() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let path = format!("/v1/tasks/{id}/steer");
    let messages = |n: usize| vec![json!({"role": "user", "content": "c"}); n];
    let body = json!({"messages": messages(3), "mode": "interrupt", "client_id": "x"});
    let first = gateway.post(&path, &body).await;
    assert_eq!(first.status, 202, "{first:?}");
    assert_eq!(
        first.body,
        json!({"task_id": id, "accepted": 3, "pending": 3})
    );
    let again = gateway.post(&path, &body).await;
    assert_eq!(
        again.body,
        json!({"task_id": id, "accepted": 0, "pending": 3})
    );
    for _ in 0..3 {
        assert_eq!(
            gateway
                .post(&path, &json!({"messages": messages(64)}))
                .await
                .status,
            202
        );
    }
    let full = gateway
        .post(&path, &json!({"messages": messages(64)}))
        .await;
    assert_eq!((full.status, full.code()), (429, "steering_full"));
    assert!(full.headers.contains_key("retry-after"));
    let task = gateway.get(&format!("/v1/tasks/{id}")).await;
    assert_eq!(task.body["pending_steering"], 195);
}

#[tokio::test]
async fn retrying() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let body = submission(&json!({"limits": {"deadline_seconds": 3600}}));
    let id = gateway.post("/v1/tasks", &body).await.id().to_owned();
    let retry = format!("/v1/tasks/{id}/retry");
    let early = gateway.post(&retry, &Value::Null).await;
    assert_eq!((early.status, early.code()), (409, "task_not_finished"));
    hand.fail(&hand.claim().await).await;
    let failed = gateway.get(&format!("/v1/tasks/{id}/result")).await;
    assert_eq!(
        failed.body["failure"],
        json!({"kind": "authentication", "message": "no", "provider_status": 401})
    );
    assert_eq!(failed.body["status"], "failed");

    let retried = gateway.post(&retry, &Value::Null).await;
    assert_eq!(
        (retried.status, &retried.body["status"]),
        (200, &json!("queued"))
    );
    assert!(retried.body["deadline_at"].is_string() && retried.body["failure"].is_null());
    hand.complete(&hand.claim().await, None).await;
    let late = gateway.post(&retry, &Value::Null).await;
    assert_eq!((late.status, late.code()), (409, "task_finished"));
}
