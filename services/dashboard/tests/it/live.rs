//! Topics over the WebSocket: what they send, how often, and how they end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::support::dashboard;

#[tokio::test]
async fn a_topic_says_what_the_operation_answers() {
    let dashboard = dashboard().await;
    dashboard.submit("writer", "o").await;
    let mut socket = dashboard.socket().await;
    for (id, topic) in (1..).zip([
        "tasks",
        "agents",
        "workers",
        "approvals",
        "batches",
        "tool_calls",
    ]) {
        socket.subscribe(id, topic, json!({"limit": 5})).await;
        let found = socket.until(id, |_| true).await;
        let path = topic.replace('_', "-");
        assert_eq!(
            found,
            dashboard.ask(&format!("/{path}?limit=5")).await,
            "{topic}"
        );
    }
    socket.subscribe(70, "system", json!({})).await;
    assert!(socket.until(70, |_| true).await["redis"]["version"].is_string());
    socket
        .subscribe(71, "overview", json!({"window": "day", "agent": "writer"}))
        .await;
    assert_eq!(socket.until(71, |_| true).await["counts"]["queued"], 1);
}

#[tokio::test]
async fn what_changes_comes_by_itself() {
    let dashboard = dashboard().await;
    let mut socket = dashboard.socket().await;
    socket
        .subscribe(1, "overview", json!({"window": "hour"}))
        .await;
    socket
        .subscribe(2, "tasks", json!({"status": "completed"}))
        .await;
    socket.until(1, |data| data["counts"]["queued"] == 0).await;
    let id = dashboard.submit("writer", "o").await;
    socket.until(1, |data| data["counts"]["queued"] == 1).await;
    let claimed = dashboard.claim("writer", 1).await;
    dashboard.finish(&claimed[0], true).await;
    socket.until(2, |data| data["data"][0]["id"] == *id).await;
    socket
        .until(1, |data| data["totals"]["completed"] == 1)
        .await;
    socket.send(json!({"type": "unsubscribe", "id": 1})).await;
    socket.send(json!({"type": "ping"})).await;
    while socket.next().await.unwrap()["type"] != "pong" {}
    dashboard.submit("writer", "o").await;
    let later = socket.within(Duration::from_millis(1500)).await;
    assert!(later.iter().all(|frame| frame["id"] != 1), "{later:?}");
    let quiet = later.iter().filter(|frame| frame["id"] == 2).count();
    assert_eq!(quiet, 0, "nothing has changed there");
}

#[tokio::test]
async fn a_client_gets_four_frames_a_second_at_most() {
    let dashboard = dashboard().await;
    let mut sockets = [dashboard.socket().await, dashboard.socket().await];
    for socket in &mut sockets {
        socket.subscribe(1, "tasks", json!({})).await;
    }
    let begun = Instant::now();
    let mut submitted = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        dashboard
            .submit("writer", &format!("o{}", submitted % 7))
            .await;
        submitted += 1;
    }
    for socket in &mut sockets {
        let frames = socket.within(Duration::from_secs(2)).await;
        assert!(
            (2..=18).contains(&frames.len()),
            "{} frames in 4 s of {submitted} changes",
            frames.len()
        );
        let last = frames.last().unwrap();
        let newest = dashboard.ask("/tasks").await;
        assert_eq!(last["data"], newest, "the last one is the newest");
    }
}

#[tokio::test]
async fn what_cannot_be_is_an_error_of_its_subscription() {
    let dashboard = dashboard().await;
    let mut socket = dashboard.socket().await;
    for (id, topic, params, code) in [
        (1, "nothing", json!({}), "route_not_found"),
        (
            2,
            "tasks",
            json!({"status": "nonsense"}),
            "validation_failed",
        ),
        (3, "task", json!({"task_id": "x"}), "validation_failed"),
        (
            4,
            "task",
            json!({"task_id": "0-01hf7yat000000000000000010"}),
            "task_not_found",
        ),
        (
            5,
            "batch",
            json!({"batch_id": "0-01hf7yat000000000000000010"}),
            "batch_not_found",
        ),
        (6, "overview", json!({"agent": "nobody"}), "agent_not_found"),
    ] {
        socket.subscribe(id, topic, params).await;
        let frame = socket.next().await.unwrap();
        assert_eq!(
            (&frame["type"], &frame["id"]),
            (&json!("error"), &json!(id)),
            "{frame}"
        );
        assert_eq!(frame["problem"]["code"], code);
    }
    // Its places are free again.
    for id in 1..=32 {
        socket.subscribe(id, "agents", json!({"limit": id})).await;
    }
    socket.subscribe(33, "agents", json!({"limit": 33})).await;
    loop {
        let frame = socket.next().await.unwrap();
        if frame["type"] == "error" {
            assert_eq!(frame["id"], 33, "{frame}");
            break;
        }
    }
    socket.send(json!({"type": "nonsense"})).await;
    let mut last = Value::Null;
    while let Some(frame) = socket.next().await {
        last = frame;
    }
    assert_eq!(last["type"], "bye");
}

#[tokio::test]
async fn a_client_is_told_when_the_store_is_away() {
    let dashboard = dashboard().await;
    let mut socket = dashboard.socket().await;
    socket.subscribe(1, "tasks", json!({})).await;
    socket.until(1, |_| true).await;
    dashboard.redis().control(|redis| redis.pause().unwrap());
    let mut last = Value::Null;
    while let Some(frame) = socket.next().await {
        last = frame;
    }
    assert_eq!(
        (&last["type"], &last["reason"]),
        (&json!("bye"), &json!("the store does not answer"))
    );
    let refused = dashboard.connect(None).await.err().map(|e| *e);
    let Some(Error::Http(response)) = refused else {
        panic!("it was let in");
    };
    assert_eq!(response.status(), 503);
    dashboard.redis().control(|redis| redis.resume().unwrap());
    let mut socket = dashboard.socket().await;
    socket.subscribe(1, "tasks", json!({})).await;
    socket.until(1, |_| true).await;
}
