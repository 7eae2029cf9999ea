//! Answers to calls that are refused, and reports of progress: what is not awaited, and what is too much.

use std::time::Duration;

use factorial_core::{Partition, WaitKind};
use serde_json::{Value, json};

use crate::support::{Ask, Gateway, eventually, gateway};

fn path(id: &str, call: &str, verb: &str) -> String {
    format!("/v1/tasks/{id}/tool-calls/{call}/{verb}")
}

async fn status(gateway: &Gateway, id: &str) -> Value {
    gateway.get(&format!("/v1/tasks/{id}")).await.body["status"].clone()
}

#[tokio::test]
async fn what_is_not_awaited_is_refused() {
    let gateway = gateway().await;
    let asks = [
        Ask::new(WaitKind::Caller, "c1"),
        Ask::new(WaitKind::Approval, "p1"),
    ];
    let id = gateway.parked(&json!({}), &asks).await;
    let other = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Caller, "c9")])
        .await;
    let bodies = [
        ("result", json!({"result": 1})),
        ("error", json!({"message": "m"})),
        ("approve", json!({})),
        ("deny", json!({})),
        ("progress", json!({"progress": 0.5})),
    ];
    for (verb, body) in &bodies {
        // Never made, of another task, no id, other waits of the task, and answered another way.
        let not_this_way = if matches!(*verb, "approve" | "deny") {
            "c1"
        } else {
            "p1"
        };
        for call in [
            "c2",
            "c9",
            "a%20b",
            "a:p1",
            "c1%2F0",
            not_this_way,
            &"x".repeat(65),
        ] {
            let refused = gateway.post(&path(&id, call, verb), body).await;
            assert_eq!(
                (refused.status, refused.code()),
                (404, "tool_call_not_found"),
                "{verb} {call}"
            );
        }
        let nowhere = other.replace(|c: char| c.is_ascii_digit(), "0");
        for task in [nowhere.as_str(), "999-01k0a1b2c3d4e5f6g7h8j9kamn"] {
            let refused = gateway.post(&path(task, "c1", verb), body).await;
            assert_eq!(
                (refused.status, refused.code()),
                (404, "task_not_found"),
                "{verb} {task}"
            );
        }
        let mut foreign = body.clone();
        foreign["owner_id"] = "o2".into();
        let call = if matches!(*verb, "approve" | "deny") {
            "p1"
        } else {
            "c1"
        };
        let refused = gateway.post(&path(&id, call, verb), &foreign).await;
        assert_eq!(
            (refused.status, refused.code()),
            (404, "task_not_found"),
            "{verb}"
        );
        foreign["owner_id"] = "o}2".into();
        let refused = gateway.post(&path(&id, call, verb), &foreign).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec!["/owner_id"]),
            "{verb}"
        );
    }
    let list = gateway
        .get(&format!("/v1/tasks/{id}/tool-calls?owner_id=o2"))
        .await;
    assert_eq!((list.status, list.code()), (404, "task_not_found"));
    assert_eq!(
        gateway
            .get(&format!("/v1/tasks/{id}/tool-calls?owner_id=o1"))
            .await
            .body["data"][1]["status"],
        "open"
    );
    assert_eq!(status(&gateway, &id).await, "pending_tool_results");
}

#[tokio::test]
async fn what_is_not_awaited_any_more_is_closed() {
    let gateway = gateway().await;
    let ask = Ask {
        timeout: Some(Duration::from_millis(1)),
        ..Ask::new(WaitKind::Caller, "c1")
    };
    let expired = gateway.parked(&json!({}), &[ask]).await;
    eventually("expiry", async || {
        gateway.store.expire_waits(Partition(0), 10).await.unwrap();
        (status(&gateway, &expired).await == "queued").then_some(())
    })
    .await;
    let list = gateway
        .get(&format!("/v1/tasks/{expired}/tool-calls"))
        .await;
    assert_eq!(list.body["data"][0]["outcome"], "timeout");
    gateway
        .hand()
        .complete(&gateway.hand().claim().await, None)
        .await;

    let interrupted = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Caller, "c1")])
        .await;
    let steer = |mode: &str| json!({"messages": [{"role": "user", "content": "c"}], "mode": mode});
    let steering = format!("/v1/tasks/{interrupted}/steer");
    assert_eq!(
        gateway.post(&steering, &steer("next_turn")).await.status,
        202
    );
    assert_eq!(status(&gateway, &interrupted).await, "pending_tool_results");
    assert_eq!(
        gateway.post(&steering, &steer("interrupt")).await.status,
        202
    );
    assert_eq!(status(&gateway, &interrupted).await, "queued");
    gateway.hand().claim().await;

    let cancelled = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Caller, "c1")])
        .await;
    let ended = gateway
        .post(&format!("/v1/tasks/{cancelled}/cancel"), &json!({}))
        .await;
    assert_eq!(ended.status, 200, "{ended:?}");
    for (id, detail) in [
        (&expired, "its time was up"),
        (&interrupted, "the task was interrupted while it waited"),
        (&cancelled, "the task ended while it waited"),
    ] {
        for (verb, body) in [
            ("result", json!({"result": 1})),
            ("error", json!({"message": "m"})),
        ] {
            let late = gateway.post(&path(id, "c1", verb), &body).await;
            assert_eq!(
                (late.status, late.code(), &late.body["detail"]),
                (409, "tool_call_closed", &json!(detail))
            );
        }
        let report = gateway
            .post(&path(id, "c1", "progress"), &json!({"message": "m"}))
            .await;
        assert_eq!((report.status, report.code()), (409, "tool_call_closed"));
        let never = gateway
            .post(&path(id, "c2", "result"), &json!({"result": 1}))
            .await;
        let expected = if id == &interrupted {
            "tool_call_not_found"
        } else {
            "task_finished"
        };
        assert_eq!(never.code(), expected);
    }
}

#[tokio::test]
async fn progress_is_an_event() {
    let gateway = gateway().await;
    let id = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Operator, "c1")])
        .await;
    let progress = path(&id, "c1", "progress");
    let report =
        json!({"message": "half", "progress": 0.5, "data": {"pages": [1, 2]}, "owner_id": "o1"});
    for body in [&report, &json!({"progress": 1})] {
        let answer = gateway.post(&progress, body).await;
        assert_eq!((answer.status, &answer.body), (202, &Value::Null));
    }
    assert_eq!(
        gateway
            .events_of(&id, "progress_update_tool_action_progress")
            .await,
        [
            json!({"call_id": "c1", "message": "half", "progress": 0.5, "data": {"pages": [1, 2]}}),
            json!({"call_id": "c1", "progress": 1.0}),
        ]
    );
    for (bad, field) in [
        (json!({}), ""),
        (json!({"progress": 1.01}), "/progress"),
        (json!({"progress": -1}), "/progress"),
        (json!({"message": ""}), "/message"),
        (json!({"message": "x".repeat(4097)}), "/message"),
        (json!({"data": {"x": "x".repeat(16_384)}}), "/data"),
        (json!({"data": 7}), "/data"),
    ] {
        let refused = gateway.post(&progress, &bad).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec![field]),
            "{bad}"
        );
    }
    gateway
        .post(&path(&id, "c1", "result"), &json!({"result": 1}))
        .await;
    let late = gateway.post(&progress, &report).await;
    assert_eq!((late.status, late.code()), (409, "tool_call_closed"));
    assert_eq!(
        gateway
            .events_of(&id, "progress_update_tool_action_progress")
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn reports_are_bounded() {
    let gateway = gateway().await;
    let id = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Operator, "c1")])
        .await;
    assert_eq!(
        gateway.hand().report_until_exhausted(&id, "c1").await,
        10_000
    );
    let refused = gateway
        .post(&path(&id, "c1", "progress"), &json!({"progress": 0}))
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "progress_exhausted")
    );
    assert_eq!(
        gateway
            .post(&path(&id, "c1", "result"), &json!({"result": 1}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn results_of_every_size() {
    const MOST: usize = 262_144;
    let gateway = gateway().await;
    let asks: Vec<_> = ["c1", "c2", "c3"]
        .map(|call| Ask::new(WaitKind::Caller, call))
        .into();
    let id = gateway.parked(&json!({}), &asks).await;
    let text = |bytes: usize| json!({"result": "x".repeat(bytes - 2)});
    // The limit of a body is 1 MiB, so the last one is cut off.
    for bytes in [MOST + 1, 1_000_000, 10_000_000] {
        let refused = gateway.post(&path(&id, "c1", "result"), &text(bytes)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (413, "payload_too_large"),
            "{bytes}"
        );
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("262144"), "{detail}");
    }
    assert_eq!(
        gateway
            .post(&path(&id, "c1", "result"), &text(MOST))
            .await
            .status,
        200
    );
    let message = |n: usize| json!({"message": "é".repeat(n)});
    for (bad, field) in [
        (message(0), "/message"),
        (message(16_385), "/message"),
        (json!({"message": "m", "by": ""}), "/by"),
    ] {
        let refused = gateway.post(&path(&id, "c2", "error"), &bad).await;
        assert_eq!((refused.status, refused.fields()), (422, vec![field]));
    }
    assert_eq!(
        gateway
            .post(&path(&id, "c2", "error"), &message(16_384))
            .await
            .status,
        200
    );
    for (bad, status) in [
        ("", 400),
        ("{}", 422),
        (r#"{"result": 1, "x": 2}"#, 422),
        (r#"{"result": "\ud800"}"#, 400),
    ] {
        assert_eq!(
            gateway
                .post_bytes(&path(&id, "c3", "result"), bad)
                .await
                .status,
            status,
            "{bad}"
        );
    }
    let deep = format!(r#"{{"result": {}1{}}}"#, "[".repeat(99), "]".repeat(99));
    assert_eq!(
        gateway
            .post_bytes(&path(&id, "c3", "result"), deep)
            .await
            .status,
        200
    );
    let claimed = gateway.hand().claim().await;
    assert_eq!(claimed.waits.len(), 3);
}
