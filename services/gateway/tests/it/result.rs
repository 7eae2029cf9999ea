//! Waiting for a result.

use std::time::{Duration, Instant};

use factorial_api::TaskStatus;
use serde_json::json;

use crate::support::gateway;

#[tokio::test]
async fn a_long_poll_ends_with_the_task() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    let claimed = hand.claim().await;
    let asked = Instant::now();
    let waiting = tokio::spawn({
        let (client, id) = (gateway.client(), id.clone());
        async move {
            client
                .task_result(&id, Duration::from_secs(60))
                .await
                .unwrap()
        }
    });
    // Several may wait for one task.
    let other = tokio::spawn({
        let (client, id) = (gateway.client(), id.clone());
        async move { client.wait_result(&id, None).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    hand.complete(&claimed, Some(json!(42))).await;
    for result in [waiting.await.unwrap(), other.await.unwrap()] {
        assert_eq!(
            (result.status, result.output),
            (TaskStatus::Completed, Some(json!(42)))
        );
    }
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn a_long_poll_ends_in_time() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let now = gateway.get(&format!("/v1/tasks/{id}/result")).await;
    assert_eq!((now.status, &now.body["status"]), (200, &json!("queued")));
    let asked = Instant::now();
    let later = gateway
        .get(&format!("/v1/tasks/{id}/result?wait=0.3"))
        .await;
    assert_eq!(
        (later.status, &later.body["status"]),
        (200, &json!("queued"))
    );
    assert!(
        (300..3000).contains(&asked.elapsed().as_millis()),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn a_long_poll_sees_a_cancellation_and_a_drain() {
    let gateway = gateway().await;
    let (first, second) = (
        gateway.submit(&json!({})).await,
        gateway.submit(&json!({})).await,
    );
    let wait = |id: &str| {
        let (client, id) = (gateway.client(), id.to_owned());
        tokio::spawn(async move {
            client
                .task_result(&id, Duration::from_secs(60))
                .await
                .unwrap()
        })
    };
    let (cancelled, drained) = (wait(&first), wait(&second));
    gateway.client().cancel(&first, Some("why")).await.unwrap();
    let result = cancelled.await.unwrap();
    assert_eq!(
        (result.status, result.cancel_reason.as_deref()),
        (TaskStatus::Cancelled, Some("why"))
    );
    gateway.shutdown.start_drain();
    assert_eq!(drained.await.unwrap().status, TaskStatus::Queued);
    gateway.running.await.unwrap();
}
