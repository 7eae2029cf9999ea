//! Cancelling a batch.

use factorial_core::TaskState;
use serde_json::json;

use super::{batch, ends, events, good, lines, view};
use crate::support::gateway;

#[tokio::test]
async fn all_members_end() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 3_000, "max_turns=2").await;
    let done = hand.claim().await;
    hand.complete(&done, None).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(hand.claim().await);
    }
    let path = format!("/v1/batches/{id}/cancel");
    let answer = gateway.post(&path, &json!({"reason": "no \"more\""})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["status"], "cancelled");
    assert_eq!(answer.body["cancel_reason"], "no \"more\"");
    assert_eq!(
        answer.body["counts"],
        json!({"completed": 1, "cancelled": 2_999})
    );
    assert_eq!(answer.body["progress"]["fraction"], 1.0);
    for claimed in &held {
        let task = gateway.store.task(&claimed.held.id).await.unwrap().unwrap();
        assert_eq!(task.state, TaskState::Cancelled);
        assert_eq!(task.reason.as_deref(), Some("batch cancelled"));
    }
    let again = gateway.post(&path, &json!({})).await;
    assert_eq!((again.status, &again.body), (200, &answer.body));
    let events = events(&gateway, &id).await;
    assert_eq!(ends(&events), ["batch_cancelled"]);
    assert!(events.len() <= 103, "{}", events.len());
}

#[tokio::test]
async fn what_has_ended_stays_as_it_ended() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 1, "").await;
    hand.complete(&hand.claim().await, None).await;
    let before = view(&gateway, &id).await;
    let answer = gateway
        .post(&format!("/v1/batches/{id}/cancel"), &json!({}))
        .await;
    assert_eq!((answer.status, answer.code()), (409, "batch_finished"));
    assert_eq!(view(&gateway, &id).await, before);
    let long = gateway
        .post(
            &format!("/v1/batches/{id}/cancel"),
            &json!({"reason": "x".repeat(501)}),
        )
        .await;
    assert_eq!(long.fields(), ["/reason"]);
}

#[tokio::test]
async fn while_it_is_being_filled() {
    let gateway = gateway().await;
    let (submitted, cancelled) = tokio::join!(
        lines(&gateway, "owner_id=o1&agent=writer", good(3_000)),
        async {
            let id: factorial_core::BatchId =
                crate::support::eventually("a batch that fills", async || {
                    let page = gateway.get("/v1/batches").await;
                    let batch = &page.body["data"][0];
                    let fills =
                        batch["status"] == "filling" && batch["accepted"].as_u64() > Some(0);
                    fills.then(|| batch["id"].as_str().unwrap().parse().unwrap())
                })
                .await;
            let answer = gateway
                .post(&format!("/v1/batches/{id}/cancel"), &json!({}))
                .await;
            (id, answer)
        }
    );
    let (id, cancelled) = cancelled;
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (200, &json!("cancelled"))
    );
    assert_eq!(
        (submitted.status, submitted.code()),
        (409, "batch_closed"),
        "{submitted:?}"
    );
    let view = view(&gateway, &id).await;
    let told = &submitted.body["batch"];
    assert_eq!(told["id"], id.as_str());
    assert_eq!(
        (&told["members"], &told["left"]),
        (&json!(3_000), &json!("closed"))
    );
    assert_eq!(told["accepted"], view["accepted"]);
    assert_eq!(view["counts"]["cancelled"], view["accepted"]);
    assert_eq!(view["members"], view["accepted"]);
    assert_eq!(ends(&events(&gateway, &id).await), ["batch_cancelled"]);
}
