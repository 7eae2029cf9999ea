//! The feed of an owner: everything once, across connections and gateways, or a gap that is told.

use factorial_api::{FeedEvent, FeedSnapshot, TaskStatus};
use factorial_client::FeedRequest;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    sockets::{connect, text},
    support::{Gateway, PATIENCE, config, gateway, gateway_with},
};

/// A task that runs to its end.
async fn live(gateway: &Gateway, changes: &Value) -> String {
    let hand = gateway.hand();
    let id = gateway.submit(changes).await;
    let mut claimed = hand.claim().await;
    hand.turn(&mut claimed, 1, 4, "a").await;
    hand.complete(&claimed, None).await;
    id
}

async fn log(gateway: &Gateway, id: &str) -> Vec<(String, u64)> {
    let page = gateway.client().event_page(id, 0, None).await.unwrap();
    page.data
        .into_iter()
        .map(|e| (e.event_type, e.seq))
        .collect()
}

fn told(events: &[FeedEvent], id: &str) -> Vec<(String, u64)> {
    events
        .iter()
        .filter(|e| e.task_id.as_deref() == Some(id))
        .map(|e| (e.event_type.clone(), e.seq.unwrap()))
        .collect()
}

async fn next(
    feed: &mut (impl Stream<Item = Result<FeedEvent, factorial_client::ClientError>> + Unpin),
) -> FeedEvent {
    timeout(PATIENCE, feed.next())
        .await
        .unwrap()
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn a_reader_sees_everything_of_its_owner_and_nothing_else() {
    for partitions in [1, 4] {
        let gateway = gateway_with(config(), partitions).await;
        let client = gateway.client();
        let mut feed = client.feed("o1", FeedRequest::default());
        let opened = next(&mut feed).await;
        assert_eq!(opened.event_type, "feed_opened");
        let mut ids = Vec::new();
        for n in 0..6 {
            live(&gateway, &json!({ "owner_id": "other" })).await;
            ids.push(live(&gateway, &json!({ "query": format!("{n}") })).await);
        }
        let mut seen = Vec::new();
        while seen
            .iter()
            .filter(|e: &&FeedEvent| e.event_type == "run_completed")
            .count()
            < 6
        {
            seen.push(next(&mut feed).await);
        }
        assert!(seen.iter().all(|e| e.owner_id == "o1"));
        for id in &ids {
            assert_eq!(told(&seen, id), log(&gateway, id).await);
        }
        // From every place on, what is left comes once, in the order in which it came before.
        for (i, event) in seen.iter().enumerate() {
            let request = FeedRequest {
                cursor: event.cursor.clone(),
                ..FeedRequest::default()
            };
            let mut again = client.feed("o1", request);
            let mut left = Vec::new();
            while left.len() < seen.len() - i - 1 {
                left.push(next(&mut again).await);
            }
            for id in &ids {
                assert_eq!(told(&left, id), told(&seen[i + 1..], id));
            }
        }
    }
}

#[tokio::test]
async fn pages_and_sockets_say_the_same() {
    let gateway = gateway().await;
    let first = gateway.get("/v1/events?owner_id=o1").await;
    assert_eq!(first.body["data"][0]["event_type"], "feed_opened");
    let cursor = first.body["cursor"].as_str().unwrap().to_owned();
    let mut socket = connect(&gateway, &format!("/v1/events?owner_id=o1&cursor={cursor}")).await;
    let id = live(&gateway, &json!({})).await;
    let (mut pages, mut after) = (Vec::new(), cursor);
    loop {
        let page = gateway
            .get(&format!("/v1/events?owner_id=o1&cursor={after}"))
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        pages.extend(page.body["data"].as_array().unwrap().clone());
        after = page.body["cursor"].as_str().unwrap().to_owned();
        if page.body["has_more"] == false {
            break;
        }
    }
    let mut sent = Vec::new();
    while sent.len() < pages.len() {
        sent.push(serde_json::from_str::<Value>(&text(&mut socket).await.unwrap()).unwrap());
    }
    assert_eq!(sent, pages);
    let events: Vec<FeedEvent> = serde_json::from_value(Value::Array(pages)).unwrap();
    assert_eq!(told(&events, &id), log(&gateway, &id).await);
    assert_eq!(events.last().unwrap().cursor, Some(after));
}

#[tokio::test]
async fn filters_are_applied_together() {
    let gateway = gateway().await;
    let cursor = gateway.get("/v1/events?owner_id=o1").await.body["cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    let (a, b) = (
        live(&gateway, &json!({})).await,
        live(&gateway, &json!({})).await,
    );
    let types = async |filter: &str| {
        let page = gateway
            .get(&format!("/v1/events?owner_id=o1&cursor={cursor}&{filter}"))
            .await;
        let data = page.body["data"].as_array().unwrap().clone();
        let of = |e: &Value| {
            let task = e["task_id"].as_str().unwrap();
            let name = if task == a { "a" } else { "b" };
            format!("{name} {}", e["event_type"].as_str().unwrap())
        };
        data.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(
        types("event_types=run_completed,run_started").await,
        [
            "a run_started",
            "a run_completed",
            "b run_started",
            "b run_completed",
        ]
    );
    assert_eq!(
        types(&format!("event_pattern=run_*&task_ids={b}")).await,
        ["b run_started", "b run_completed"]
    );
    assert_eq!(
        types("event_pattern=run_*&event_types=task_enqueued").await,
        [""; 0]
    );
    let bad = gateway
        .get("/v1/events?owner_id=&task_ids=x&event_types=A&event_pattern=%3F&cursor=1.2&what=1")
        .await;
    assert_eq!(bad.status, 422);
    assert_eq!(bad.body["errors"].as_array().unwrap().len(), 6, "{bad:?}");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_gets_a_gap_and_a_snapshot() {
    let gateway = gateway().await;
    let ended = live(&gateway, &json!({})).await;
    let open = gateway.submit(&json!({})).await;
    let client = gateway.client();
    let request = FeedRequest {
        cursor: Some("1700000000000000".to_owned()),
        ..FeedRequest::default()
    };
    let mut feed = client.feed("o1", request);
    assert_eq!(next(&mut feed).await.event_type, "feed_gap");
    let snapshot = next(&mut feed).await;
    assert_eq!(snapshot.event_type, "feed_snapshot");
    let stands: FeedSnapshot = serde_json::from_value(snapshot.data).unwrap();
    assert!(stands.complete);
    let tasks: Vec<_> = stands
        .tasks
        .iter()
        .map(|t| (t.id.as_str(), t.status))
        .collect();
    assert_eq!(tasks, [(open.as_str(), TaskStatus::Queued)]);
    // It goes on from there.
    let later = gateway.submit(&json!({})).await;
    let event = next(&mut feed).await;
    assert_eq!(
        (event.task_id.as_deref(), event.event_type.as_str()),
        (Some(later.as_str()), "task_enqueued")
    );
    // Those that are named are told in whatever state they are.
    let request = FeedRequest {
        cursor: Some("1700000000000000".to_owned()),
        task_ids: vec![ended.clone()],
        ..FeedRequest::default()
    };
    let mut feed = client.feed("o1", request);
    next(&mut feed).await;
    let stands: FeedSnapshot = serde_json::from_value(next(&mut feed).await.data).unwrap();
    assert_eq!(stands.tasks[0].status, TaskStatus::Completed);
}
