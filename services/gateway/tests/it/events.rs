//! Event streams: no gap, no repetition, whatever is cut where.

use std::time::Duration;

use factorial_api::Event;
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;

use crate::support::{Frame, Frames, Gateway, PATIENCE, config, eventually, gateway, gateway_with};

/// A task that has ended; its id and the number of its events.
async fn ended(gateway: &Gateway) -> (String, u64) {
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    let mut claimed = hand.claim().await;
    hand.turn(&mut claimed, 1, 4, "a").await;
    hand.turn(&mut claimed, 2, 4, "b").await;
    hand.complete(&claimed, None).await;
    let page = gateway.get(&format!("/v1/tasks/{id}/events")).await;
    (id, page.body["last_seq"].as_u64().unwrap())
}

#[tokio::test]
async fn pages_of_events() {
    let gateway = gateway().await;
    let (id, last) = ended(&gateway).await;
    for limit in [1, 3, 1000] {
        let (mut seqs, mut after) = (Vec::new(), 0);
        loop {
            let page = gateway
                .client()
                .event_page(&id, after, Some(limit))
                .await
                .unwrap();
            assert_eq!(page.last_seq, last);
            seqs.extend(page.data.iter().map(|event| event.seq));
            after = page.data.last().unwrap().seq;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
    }
    let first = gateway
        .client()
        .event_page(&id, 0, Some(1))
        .await
        .unwrap()
        .data
        .remove(0);
    assert_eq!(
        (first.event_type.as_str(), first.task_id.as_str()),
        ("task_enqueued", id.as_str())
    );
    assert_eq!(
        (first.owner_id.as_str(), first.agent.as_str()),
        ("o1", "writer")
    );
}

#[tokio::test]
async fn a_stream_goes_on_after_every_seq() {
    let gateway = gateway().await;
    let (id, last) = ended(&gateway).await;
    for after in 0..last {
        let seqs = gateway.stream(&id, after).await.seqs().await;
        assert_eq!(seqs, (after + 1..=last).collect::<Vec<_>>());
        // What the browser says wins over what the address says.
        let request = gateway.request(
            Method::GET,
            &format!("/v1/tasks/{id}/events?starting_after=1"),
        );
        let request = request
            .header("accept", "text/event-stream")
            .header("last-event-id", after);
        let frames = Frames::of(request.send().await.unwrap()).await;
        let seqs = frames.seqs().await;
        assert_eq!(seqs, (after + 1..=last).collect::<Vec<_>>());
    }
    for after in [last, last + 100] {
        let request = gateway.request(
            Method::GET,
            &format!("/v1/tasks/{id}/events?starting_after={after}"),
        );
        let response = request
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 204);
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_after_every_event_loses_and_repeats_nothing() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({"stream": true})).await;
    let working = tokio::spawn({
        let hand = gateway.hand();
        async move {
            let mut claimed = hand.claim().await;
            for turn in 1..=30 {
                hand.turn(&mut claimed, turn, 1 + turn % 4, "t").await;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            hand.complete(&claimed, None).await;
        }
    });
    let (mut seqs, mut cuts) = (Vec::<u64>::new(), 0);
    'read: loop {
        let after = seqs.last().copied().unwrap_or(0);
        let mut stream = gateway.stream(&id, after).await;
        // One event, then two, then three, then the connection is gone.
        for _ in 0..=cuts % 3 {
            let Some(event) = stream.event().await else {
                break;
            };
            seqs.push(event.seq);
            if event.event_type == "run_completed" {
                break 'read;
            }
        }
        cuts += 1;
    }
    working.await.unwrap();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert!(cuts > 10, "{cuts}");
    drop(hand);
}

#[tokio::test]
async fn many_readers_see_the_same_while_it_happens() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let events = gateway.client().events(&id, 0);
            tokio::spawn(timeout(
                PATIENCE,
                events.map(|event| event.unwrap().seq).collect::<Vec<_>>(),
            ))
        })
        .collect();
    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    for turn in 1..=20 {
        hand.turn(&mut claimed, turn, 10, "t").await;
    }
    hand.complete(&claimed, None).await;
    let last = gateway
        .client()
        .event_page(&id, 0, Some(1))
        .await
        .unwrap()
        .last_seq;
    for reader in readers {
        assert_eq!(
            reader.await.unwrap().unwrap(),
            (1..=last).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_retried_task_is_followed_past_its_first_end() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    hand.fail(&hand.claim().await).await;
    gateway.client().retry(&id).await.unwrap();
    let mut stream = gateway.stream(&id, 0).await;
    let mut types = Vec::new();
    while let Some(event) = stream.event().await {
        if event.event_type == "task_retried" {
            hand.complete(&hand.claim().await, None).await;
        }
        types.push(event.event_type);
    }
    let at = |name: &str| types.iter().position(|t| t == name).unwrap();
    assert!(
        at("run_failed") < at("task_retried") && at("task_retried") < at("run_completed"),
        "{types:?}"
    );
    assert_eq!(types.last().unwrap(), "run_completed");
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive() {
    let mut config = config();
    config.stream_keep_alive_seconds = Duration::from_millis(50);
    let gateway = gateway_with(config, 1).await;
    let id = gateway.submit(&json!({})).await;
    let mut stream = gateway.stream(&id, 0).await;
    let mut comments = 0;
    while comments < 3 {
        if let Some(Frame::Comment(text)) = stream.next().await {
            assert_eq!(text, "keep-alive");
            comments += 1;
        }
    }
}

#[tokio::test]
async fn a_drain_ends_streams_and_says_where_to_go_on() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let mut stream = gateway.stream(&id, 0).await;
    assert_eq!(stream.event().await.unwrap().seq, 1);
    gateway.shutdown.start_drain();
    let mut last = None;
    while let Some(frame) = stream.next().await {
        last = Some(frame);
    }
    let Some(Frame::Comment(text)) = last else {
        panic!("{last:?}");
    };
    assert!(text.ends_with("last event 1"), "{text}");
    timeout(PATIENCE, gateway.running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_outlives_a_restart_of_redis() {
    let mut gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let mut events = std::pin::pin!(gateway.client().events(&id, 0));
    let first: Event = events.next().await.unwrap().unwrap();
    assert_eq!(first.seq, 1);
    let mut redis = gateway.redis;
    gateway.redis = tokio::task::spawn_blocking(move || {
        redis.restart().unwrap();
        redis
    })
    .await
    .unwrap();
    let hand = gateway.hand();
    let store = gateway.store.clone();
    eventually("Redis back", async || store.ping().await.ok()).await;
    let mut claimed = hand.claim().await;
    hand.turn(&mut claimed, 1, 2, "t").await;
    hand.complete(&claimed, None).await;
    let rest = timeout(
        PATIENCE,
        events.map(|event| event.unwrap().seq).collect::<Vec<_>>(),
    )
    .await
    .unwrap();
    let last = gateway
        .client()
        .event_page(&id, 0, None)
        .await
        .unwrap()
        .last_seq;
    assert_eq!(rest, (2..=last).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_does_not_read_holds_up_nobody() {
    let gateway = gateway().await;
    let hand = gateway.hand();
    let id = gateway.submit(&json!({})).await;
    let mut claimed = hand.claim().await;
    // More than any buffer on the way takes.
    for turn in 1..=40 {
        hand.turn(&mut claimed, turn, 10, &"x".repeat(20_000)).await;
    }
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut stream = tokio::net::TcpStream::connect(gateway.address())
            .await
            .unwrap();
        let request = format!(
            "GET /v1/tasks/{id}/events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
        );
        tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
            .await
            .unwrap();
        deaf.push(stream);
    }
    let reading = tokio::spawn(timeout(PATIENCE, gateway.stream(&id, 0).await.seqs()));
    hand.complete(&claimed, None).await;
    let seqs = reading.await.unwrap().unwrap();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert!(seqs.len() > 400);
    assert_eq!(gateway.get("/").await.status, 200);
}
