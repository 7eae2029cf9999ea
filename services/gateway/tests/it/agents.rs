//! Agents and workers.

use factorial_api::{Agent, Worker};
use serde_json::json;

use crate::support::gateway;

#[tokio::test]
async fn agents_with_what_waits_and_runs() {
    let gateway = gateway().await;
    for _ in 0..3 {
        gateway.submit(&json!({})).await;
    }
    gateway.hand().claim().await;
    let page = gateway.client().agents(None, None).await.unwrap();
    let seen: Vec<_> = page
        .data
        .iter()
        .map(|a: &Agent| (a.name.as_str(), a.queued, a.processing, a.workers))
        .collect();
    assert_eq!(seen, [("reader", 0, 0, 1), ("writer", 2, 1, 1)]);
    let writer = gateway.client().agent("writer").await.unwrap();
    assert_eq!(writer, page.data[1]);
    assert_eq!(
        (writer.model.as_deref(), &writer.tools[..]),
        (Some("openai/gpt"), &["calculator".to_owned()][..])
    );
    let unknown = gateway.get("/v1/agents/nobody").await;
    assert_eq!((unknown.status, unknown.code()), (404, "agent_not_found"));
    let first = gateway.client().agents(None, Some(1)).await.unwrap();
    assert_eq!(
        (first.data[0].name.as_str(), first.next_cursor.as_deref()),
        ("reader", Some("reader"))
    );
    let second = gateway
        .client()
        .agents(Some("reader"), Some(1))
        .await
        .unwrap();
    assert_eq!(
        (second.data[0].name.as_str(), second.next_cursor),
        ("writer", None)
    );
}

#[tokio::test]
async fn workers_that_are_there() {
    let gateway = gateway().await;
    let page = gateway.client().workers(None, None).await.unwrap();
    let worker: &Worker = &page.data[0];
    assert_eq!(
        (worker.id.as_str(), worker.pid, worker.agents.len()),
        ("hand-1", 7, 2)
    );
    assert!(worker.last_heartbeat_at > worker.started_at);
    let id = factorial_core::WorkerId::new("hand-1").unwrap();
    gateway.store.retire(&id).await.unwrap();
    assert!(
        gateway
            .client()
            .workers(None, None)
            .await
            .unwrap()
            .data
            .is_empty()
    );
    // The agent stays known.
    assert_eq!(gateway.client().agent("writer").await.unwrap().workers, 0);
}

#[tokio::test]
async fn a_paused_agent_waits_until_it_is_resumed() {
    let gateway = gateway().await;
    let client = gateway.client();
    let paused = client.pause_agent("writer").await.unwrap();
    assert!(paused.paused);
    assert!(client.agent("writer").await.unwrap().paused);
    let id = gateway.submit(&json!({})).await;
    let list = client.agents(None, None).await.unwrap();
    let seen: Vec<_> = list.data.iter().map(|a| (a.paused, a.queued)).collect();
    assert_eq!(seen, [(false, 0), (true, 1)]);
    assert!(!client.resume_agent("writer").await.unwrap().paused);
    assert_eq!(gateway.hand().claim().await.held.id.as_str(), id);
    let unknown = client.pause_agent("nobody").await.unwrap_err();
    assert!(unknown.to_string().contains("no such agent"), "{unknown}");
}
