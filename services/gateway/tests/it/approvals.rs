//! Approvals: yes, no, other arguments, and the inbox.

use std::collections::BTreeSet;

use factorial_api::{ApproveRequest, DenyRequest};
use factorial_client::AskedFilter;
use factorial_core::{WaitKey, WaitKind, WaitOutcome, WaitStatus};
use serde_json::{Value, json};

use crate::support::{Ask, Gateway, config, gateway, gateway_with};

fn path(id: &str, call: &str, verb: &str) -> String {
    format!("/v1/tasks/{id}/tool-calls/{call}/{verb}")
}

async fn stored(gateway: &Gateway, id: &str, call: &str) -> (WaitOutcome, Value) {
    match gateway.wait(id, &WaitKey::Approval(call.to_owned())).await {
        WaitStatus::Answered {
            outcome, payload, ..
        } => (outcome, payload),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn yes_and_no_and_by_whom() {
    let gateway = gateway().await;
    let asks = ["p1", "p2", "p3"].map(|call| Ask::new(WaitKind::Approval, call));
    let id = gateway.parked(&json!({}), &asks).await;
    let client = gateway.client();
    let yes = ApproveRequest {
        by: Some("ana".to_owned()),
        ..ApproveRequest::default()
    };
    let approved = client.approve(&id, "p1", &yes).await.unwrap();
    assert_eq!(
        (approved.outcome.as_str(), approved.replayed),
        ("approved", false)
    );
    assert!(client.approve(&id, "p1", &yes).await.unwrap().replayed);
    let no = DenyRequest {
        reason: Some("not today".to_owned()),
        by: Some("ben".to_owned()),
        owner_id: Some("o1".to_owned()),
    };
    assert_eq!(
        client.deny(&id, "p2", &no).await.unwrap().outcome.as_str(),
        "denied"
    );
    // With no body at all.
    let bare = gateway
        .send(gateway.request(reqwest::Method::POST, &path(&id, "p3", "approve")))
        .await;
    assert_eq!(
        (bare.status, &bare.body["task_status"]),
        (200, &json!("queued"))
    );
    for (call, expected) in [
        ("p1", (WaitOutcome::Approved, json!({"by": "ana"}))),
        (
            "p2",
            (
                WaitOutcome::Denied,
                json!({"reason": "not today", "by": "ben"}),
            ),
        ),
        ("p3", (WaitOutcome::Approved, json!({}))),
    ] {
        assert_eq!(stored(&gateway, &id, call).await, expected);
    }
    assert_eq!(
        gateway.events_of(&id, "approval_granted").await,
        [
            json!({"by": "ana", "call_id": "p1", "outcome": "approved"}),
            json!({"call_id": "p3", "outcome": "approved"}),
        ]
    );
    assert_eq!(gateway.events_of(&id, "approval_denied").await.len(), 1);
    let changed = gateway.post(&path(&id, "p1", "deny"), &json!({})).await;
    assert_eq!(
        (changed.status, changed.code()),
        (409, "tool_call_answered")
    );
    assert_eq!(
        changed.body["detail"],
        "another answer came first: approved"
    );
    let long = gateway
        .post(
            &path(&id, "p1", "deny"),
            &json!({"reason": "x".repeat(4097)}),
        )
        .await;
    assert_eq!((long.status, long.fields()), (422, vec!["/reason"]));
}

#[tokio::test]
async fn other_arguments_are_judged_by_the_version_that_asks() {
    let gateway = gateway().await;
    let old = Ask {
        version: "v0",
        ..Ask::new(WaitKind::Approval, "old")
    };
    let id = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Approval, "p1"), old])
        .await;
    let approve = path(&id, "p1", "approve");
    for (bad, fields) in [
        (json!({}), vec!["/arguments/title"]),
        (
            json!({"title": 7, "tags": ["a", 1]}),
            vec!["/arguments/tags/1", "/arguments/title"],
        ),
    ] {
        let refused = gateway.post(&approve, &json!({"arguments": bad})).await;
        let mut named = refused.fields();
        named.sort_unstable();
        assert_eq!((refused.status, named), (422, fields), "{refused:?}");
    }
    let shape = gateway.post(&approve, &json!({"arguments": [1]})).await;
    assert_eq!((shape.status, shape.fields()), (422, vec!["/arguments"]));
    let large = gateway
        .post(
            &approve,
            &json!({"arguments": {"title": "x".repeat(262_144)}}),
        )
        .await;
    assert_eq!((large.status, large.code()), (413, "payload_too_large"));
    // What is wrong with them is none of another owner's business.
    let foreign = gateway
        .post(&approve, &json!({"arguments": {}, "owner_id": "o2"}))
        .await;
    assert_eq!((foreign.status, foreign.code()), (404, "task_not_found"));
    let unknown = gateway
        .post(&path(&id, "p9", "approve"), &json!({"arguments": {}}))
        .await;
    assert_eq!(
        (unknown.status, unknown.code()),
        (404, "tool_call_not_found")
    );

    let good = json!({"arguments": {"title": "u"}, "by": "ana"});
    assert_eq!(gateway.post(&approve, &good).await.status, 200);
    assert_eq!(
        stored(&gateway, &id, "p1").await,
        (WaitOutcome::Approved, good)
    );
    // Nobody here knows the schema of that version; the worker does.
    assert_eq!(
        gateway
            .post(
                &path(&id, "old", "approve"),
                &json!({"arguments": {"x": 1}})
            )
            .await
            .status,
        200
    );
}

/// All ids of calls in an inbox, in pages of `limit`.
async fn inbox(gateway: &Gateway, which: &str, query: &str, limit: usize) -> Vec<String> {
    let (mut calls, mut cursor) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = gateway
            .get(&format!("/v1/{which}?limit={limit}{query}{cursor}"))
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        let data = page.body["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        calls.extend(
            data.iter()
                .map(|item| item["call_id"].as_str().unwrap().to_owned()),
        );
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return calls,
        }
    }
    panic!("no end");
}

#[tokio::test]
async fn the_inbox_over_several_partitions() {
    let gateway = gateway_with(config(), 2).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let owner = if n % 3 == 0 { "o|2" } else { "o1" };
        let asks = [
            Ask::new(WaitKind::Approval, format!("p{n:02}")),
            Ask::new(WaitKind::Operator, format!("q{n:02}")),
            Ask::new(WaitKind::Caller, format!("r{n:02}")),
        ];
        ids.push(gateway.parked(&json!({"owner_id": owner}), &asks).await);
    }
    let partitions: BTreeSet<_> = ids.iter().map(|id| id.split_once('-').unwrap().0).collect();
    assert_eq!(partitions.len(), 2, "{ids:?}");
    let calls = |letter: char, fits: fn(usize) -> bool| -> Vec<_> {
        (0..12)
            .filter(|n| fits(*n))
            .map(|n| format!("{letter}{n:02}"))
            .collect()
    };
    for limit in [1, 5, 200] {
        assert_eq!(
            inbox(&gateway, "approvals", "", limit).await,
            calls('p', |_| true)
        );
        assert_eq!(
            inbox(&gateway, "tool-calls", "", limit).await,
            calls('q', |_| true)
        );
        assert_eq!(
            inbox(&gateway, "approvals", "&owner_id=o%7C2", limit).await,
            calls('p', |n| n % 3 == 0)
        );
        assert_eq!(
            inbox(&gateway, "tool-calls", "&owner_id=o1&agent=writer", limit).await,
            calls('q', |n| n % 3 != 0)
        );
        assert_eq!(
            inbox(&gateway, "approvals", "&agent=reader", limit)
                .await
                .len(),
            0
        );
        assert_eq!(
            inbox(&gateway, "approvals", "&older_than_seconds=3600", limit)
                .await
                .len(),
            0
        );
        assert_eq!(
            inbox(&gateway, "approvals", "&older_than_seconds=0", limit)
                .await
                .len(),
            12
        );
    }
    let filter = AskedFilter {
        owner_id: Some("o1".to_owned()),
        ..AskedFilter::default()
    };
    let page = gateway
        .client()
        .approvals(&filter, None, Some(1))
        .await
        .unwrap();
    let item = &page.data[0];
    assert_eq!(
        (
            &item.task_id,
            item.tool.as_str(),
            item.agent_version.as_deref()
        ),
        (&ids[1], "publish", Some("v1"))
    );
    assert_eq!(
        (&item.arguments, item.agent.as_str(), item.owner_id.as_str()),
        (&json!({"title": "t"}), "writer", "o1")
    );
    assert_eq!(
        item.expires_at.unwrap().as_millis() - item.asked_at.as_millis(),
        600_000
    );

    // Answered, and ended.
    for (path, body) in [
        (path(&ids[0], "p00", "approve"), json!({})),
        (path(&ids[1], "q01", "error"), json!({"message": "m"})),
        (format!("/v1/tasks/{}/cancel", ids[2]), json!({})),
    ] {
        let answer = gateway.post(&path, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(
        inbox(&gateway, "approvals", "", 200).await,
        calls('p', |n| n != 0 && n != 2)
    );
    assert_eq!(
        inbox(&gateway, "tool-calls", "", 200).await,
        calls('q', |n| n != 1 && n != 2)
    );
    for (query, field) in [
        ("cursor=x", "cursor"),
        ("cursor=eCB5", "cursor"),
        ("limit=201", "limit"),
        ("older_than_seconds=-1", "older_than_seconds"),
        ("agent=q:*", "agent"),
        ("owner=o1", "owner"),
    ] {
        for which in ["approvals", "tool-calls"] {
            let refused = gateway.get(&format!("/v1/{which}?{query}")).await;
            assert_eq!(
                (refused.status, refused.fields()),
                (422, vec![field]),
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn many_that_were_asked_at_one_instant() {
    let gateway = gateway().await;
    let asks: Vec<_> = (0..700)
        .map(|n| Ask::new(WaitKind::Approval, format!("p{n:03}")))
        .collect();
    gateway.parked(&json!({}), &asks).await;
    assert_eq!(inbox(&gateway, "approvals", "", 200).await.len(), 700);
}
