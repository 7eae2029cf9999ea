//! How far a batch is: never back, and at the end exactly once.

use std::time::Duration;

use factorial_core::{BatchId, Partition, RetryOutcome};
use reqwest::Method;
use serde_json::{Value, json};

use super::{batch, ends, events, view};
use crate::support::{Gateway, Hand, eventually, gateway};

/// Looks at a batch and checks that its progress has not gone back.
struct Watch<'g> {
    gateway: &'g Gateway,
    id: BatchId,
    done: u64,
    fraction: f64,
}

impl Watch<'_> {
    async fn look(&mut self) -> Value {
        let view = view(self.gateway, &self.id).await;
        let progress = &view["progress"];
        let (done, fraction) = (
            progress["done"].as_u64().unwrap(),
            progress["fraction"].as_f64().unwrap(),
        );
        assert!(done >= self.done && fraction >= self.fraction, "{view}");
        let ended = matches!(view["status"].as_str().unwrap(), "completed" | "cancelled");
        assert_eq!(fraction >= 1.0, ended, "{view}");
        (self.done, self.fraction) = (done, fraction);
        let counts = view["counts"].as_object().unwrap();
        let counted: u64 = counts.values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(counted, view["accepted"].as_u64().unwrap(), "{view}");
        view
    }
}

/// Members that complete, fail, are cancelled, are retried and pass their deadline; two units of progress.
async fn every_end(gateway: &Gateway, query: &str) -> (BatchId, Vec<Value>) {
    let hand: Hand = gateway.hand();
    let id = batch(gateway, 10, query).await;
    let mut watch = Watch {
        gateway,
        id: id.clone(),
        done: 0,
        fraction: 0.0,
    };
    watch.look().await;
    // Four complete after two turns each.
    for _ in 0..4 {
        let mut claimed = hand.claim().await;
        watch.look().await;
        hand.turn(&mut claimed, 1, 0, "t").await;
        watch.look().await;
        hand.turn(&mut claimed, 2, 0, "t").await;
        hand.complete(&claimed, Some(json!("out"))).await;
        watch.look().await;
    }
    // Two fail, one of them after a turn, and are run again; one fails again.
    let mut failed = hand.claim().await;
    hand.turn(&mut failed, 1, 0, "t").await;
    hand.fail(&failed).await;
    let other = hand.claim().await;
    hand.fail(&other).await;
    assert_eq!(watch.look().await["counts"]["failed"], 2);
    for held in [&failed, &other] {
        let outcome = gateway
            .store
            .retry(&held.held.id, Some(Duration::from_secs(5)))
            .await
            .unwrap();
        assert_eq!(outcome, RetryOutcome::Queued);
        watch.look().await;
    }
    // Three are cancelled: one that runs, two that wait.
    let running = hand.claim().await;
    let members: Vec<_> = (0..10).map(|n| id.member(n)).collect();
    let tasks = gateway.store.tasks(&members).await.unwrap();
    let fresh = tasks
        .into_iter()
        .flatten()
        .filter(|task| task.attempts == 0);
    let mut unlucky: Vec<_> = fresh.map(|task| task.id).take(2).collect();
    unlucky.push(running.held.id.clone());
    for task in unlucky {
        let answer = gateway
            .post(&format!("/v1/tasks/{task}/cancel"), &json!({}))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        watch.look().await;
    }
    for n in 0..2 {
        let mut again = hand.claim().await;
        if n == 0 {
            hand.fail(&again).await;
        } else {
            let turn = again.record.turns + 1;
            hand.turn(&mut again, turn, 0, "t").await;
            hand.complete(&again, None).await;
        }
        let view = watch.look().await;
        assert_eq!(view["status"], "running", "{view}");
    }
    // The last one passes its deadline.
    eventually("the deadline", async || {
        let step = gateway
            .store
            .enforce_deadlines(Partition(0), 10)
            .await
            .unwrap();
        (step.count > 0).then_some(())
    })
    .await;
    let view = watch.look().await;
    assert_eq!(view["status"], "completed");
    assert_eq!(
        view["counts"],
        json!({"completed": 5, "failed": 2, "cancelled": 3})
    );
    let events = events(gateway, &id).await;
    (id, events)
}

fn percents(events: &[Value]) -> Vec<u64> {
    let progress = events
        .iter()
        .filter(|e| e["event_type"] == "batch_progress");
    progress
        .map(|e| e["data"]["progress"].as_u64().unwrap())
        .collect()
}

fn check(events: &[Value]) {
    let percents = percents(events);
    assert!(percents.windows(2).all(|p| p[0] < p[1]), "{percents:?}");
    assert_eq!(percents.last(), Some(&100));
    assert_eq!(events[0]["event_type"], "batch_started");
    assert_eq!(ends(events), ["batch_completed"]);
    let last = events.last().unwrap();
    assert_eq!(last["event_type"], "batch_completed");
    assert_eq!(
        last["data"],
        json!({"progress": 100, "members": 10, "completed": 5, "failed": 2, "cancelled": 3})
    );
}

#[tokio::test]
async fn in_members() {
    let gateway = gateway().await;
    let (id, events) = every_end(&gateway, "deadline_seconds=5").await;
    check(&events);
    let view = view(&gateway, &id).await;
    assert_eq!(
        view["progress"],
        json!({"done": 10, "total": 10, "unit": "tasks", "fraction": 1.0})
    );
    // The turns of the members that ended: 4 * 2, and what the two that were run again did.
    assert!(
        view["usage"]["input_tokens"].as_u64().unwrap() >= 40,
        "{view}"
    );
}

#[tokio::test]
async fn in_turns() {
    let gateway = gateway().await;
    let (id, events) = every_end(&gateway, "deadline_seconds=5&max_turns=4").await;
    check(&events);
    assert!(percents(&events).contains(&2), "a turn of 40: {events:?}");
    let view = view(&gateway, &id).await;
    assert_eq!(
        view["progress"],
        json!({"done": 40, "total": 40, "unit": "turns", "fraction": 1.0})
    );
}

#[tokio::test]
async fn a_retry_after_the_end_changes_counts_and_nothing_else() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 1, "max_turns=3").await;
    hand.fail(&hand.claim().await).await;
    let before = events(&gateway, &id).await;
    assert_eq!(ends(&before), ["batch_completed"]);
    gateway.store.retry(&id.member(0), None).await.unwrap();
    let again = view(&gateway, &id).await;
    assert_eq!(
        (&again["status"], &again["counts"]),
        (&json!("completed"), &json!({"queued": 1}))
    );
    let mut claimed = hand.claim().await;
    hand.turn(&mut claimed, 1, 0, "t").await;
    hand.complete(&claimed, None).await;
    let after = view(&gateway, &id).await;
    assert_eq!(after["counts"], json!({"completed": 1}));
    assert_eq!(after["usage"]["input_tokens"], 10);
    assert_eq!(events(&gateway, &id).await, before);
}

#[tokio::test]
async fn events_are_streamed_to_the_end() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = batch(&gateway, 5, "").await;
    let stream = async |after: u64| {
        let path = format!("/v1/batches/{id}/events?starting_after={after}");
        let request = gateway
            .request(Method::GET, &path)
            .header("accept", "text/event-stream");
        request.send().await.unwrap()
    };
    let reader = tokio::spawn(stream(0).await.text());
    for _ in 0..5 {
        let claimed = hand.claim().await;
        hand.complete(&claimed, None).await;
    }
    let text = tokio::time::timeout(Duration::from_secs(20), reader)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let ids: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("id: "))
        .collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7"], "{text}");
    assert!(text.contains("event: batch_completed\n"), "{text}");
    assert!(
        text.ends_with(": the batch has ended; last event 7\n\n"),
        "{text}"
    );
    let rest = stream(5).await.text().await.unwrap();
    assert!(
        rest.contains("id: 6\n") && !rest.contains("id: 5\n"),
        "{rest}"
    );
    assert_eq!(stream(7).await.status().as_u16(), 204);
}
