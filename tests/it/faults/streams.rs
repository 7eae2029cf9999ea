//! Event streams: read in pieces and across gateways that are killed, every `seq` comes once.

use std::{pin::pin, sync::Arc, time::Duration};

use factorial_api::SubmitTask;
use factorial_client::{Client, FeedRequest, Live, RetryPolicy};
use factorial_core::{TaskId, TaskState};
use factorial_tests::{
    eventually,
    system::{Proxy, Setup, System, agent, ask},
};
use futures::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;

use super::{SOON, of_type};

/// Reads to the end; reconnecting is the client's business.
async fn read_whole(system: Arc<System>, id: TaskId) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    let mut events = pin!(system.client().events(id.as_str(), 0));
    while let Some(event) = events.next().await {
        let event = event.expect("the stream goes on");
        seen.push((event.seq, event.event_type));
    }
    seen
}

/// Reads a little, drops the stream, and goes on from the last `seq`, again and again.
async fn read_in_pieces(system: Arc<System>, id: TaskId) -> Vec<(u64, String)> {
    let mut seen: Vec<(u64, String)> = Vec::new();
    loop {
        let last = seen.last().map_or(0, |(seq, _)| *seq);
        let mut events = pin!(system.client().events(id.as_str(), last));
        let many = rand::random_range(0..12);
        let patience = Duration::from_millis(rand::random_range(1..300));
        for _ in 0..many {
            match timeout(patience, events.next()).await {
                Ok(Some(event)) => {
                    let event = event.expect("the stream goes on");
                    seen.push((event.seq, event.event_type));
                }
                Ok(None) => return seen,
                Err(_) => break,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_seq_comes_once_across_readers_and_gateways_that_break() {
    let system = Arc::new(System::start(Setup::fast().agent(agent("plain", json!({})))).await);
    system.start_worker().await;
    let mut readers = Vec::new();
    for n in 0..6 {
        // Some 6 s of text.
        let query = format!("[[sim:tokens=150]][[sim:token_delay_ms=40]] {n}");
        let id = system
            .submit(SubmitTask {
                stream: true,
                ..ask("plain", query)
            })
            .await;
        let whole = tokio::spawn(read_whole(Arc::clone(&system), id.clone()));
        let pieces = tokio::spawn(read_in_pieces(Arc::clone(&system), id.clone()));
        readers.push((id, whole, pieces));
    }
    let gateways = || {
        system
            .running()
            .into_iter()
            .filter(|p| p.name().starts_with("gateway-"))
    };
    for round in 0..3 {
        let chunks = 20 * (round + 1);
        let id = &readers[0].0;
        eventually(SOON, || async {
            let events = system.events(id).await;
            (of_type(&events, "progress_update_completion_chunk").len() >= chunks).then_some(())
        })
        .await;
        let gateway = gateways().next().expect("a gateway runs");
        if round == 1 {
            gateway.sigterm();
            assert!(gateway.exit(Duration::from_secs(5)).await.success());
        } else {
            gateway.kill9();
        }
        system.start_gateway().await;
    }
    for (id, whole, pieces) in readers {
        let task = system.end(&id).await;
        assert_eq!(
            (task.state, task.attempts),
            (TaskState::Completed, 1),
            "no second run"
        );
        let stored = system.events(&id).await;
        let stored: Vec<_> = stored.into_iter().map(|e| (e.seq, e.event_type)).collect();
        assert!(stored.len() > 50, "{}", stored.len());
        assert!(
            stored
                .iter()
                .map(|(seq, _)| *seq)
                .eq(1..=stored.len() as u64)
        );
        assert_eq!(whole.await.expect("it reads to the end"), stored);
        assert_eq!(pieces.await.expect("it reads to the end"), stored);
    }
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}

/// Connections that break anywhere, in the middle of an event as well, and a gateway that is killed: the log of a task and
/// the feed of its owner come whole, each event once and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_cut_again_and_again_miss_nothing() {
    let system = Arc::new(System::start(Setup::fast().agent(agent("plain", json!({})))).await);
    system.start_worker().await;
    let proxy = Proxy::start(&system.url()).await;
    proxy.break_after(300, 1_500);
    let retry = RetryPolicy {
        stream_tries: 1_000,
        first: Duration::from_millis(2),
        most: Duration::from_millis(50),
        ..RetryPolicy::default()
    };
    let client = Client::builder(proxy.url().replace("redis://", "http://"));
    let client = client.retry(retry).build().expect("a client");
    let (opened, mut is_open) = tokio::sync::mpsc::channel(1);
    let feed = tokio::spawn({
        let feed = client.feed("somebody", FeedRequest::default());
        async move {
            let (mut seen, mut feed) = (Vec::new(), pin!(feed));
            while let Some(event) = feed.next().await {
                let event = event.expect("the feed goes on");
                let Some(seq) = event.seq else {
                    assert_eq!(event.event_type, "feed_opened");
                    let _ = opened.send(()).await;
                    continue;
                };
                let ended = event.event_type == "run_completed";
                seen.push((seq, event.event_type));
                if ended {
                    break;
                }
            }
            seen
        }
    });
    is_open.recv().await.expect("the feed is open");
    // Some 8 s of text.
    let query = "[[sim:tokens=200]][[sim:token_delay_ms=40]] a";
    let task = SubmitTask {
        stream: true,
        ..ask("plain", query)
    };
    let id = system.submit(task).await;
    let log = tokio::spawn({
        let log = client.events(id.as_str(), 0);
        async move {
            log.map(|event| event.expect("the stream goes on"))
                .map(|event| (event.seq, event.event_type))
                .collect::<Vec<_>>()
                .await
        }
    });
    eventually(SOON, || async { (proxy.broken() >= 50).then_some(()) }).await;
    let gateway = system
        .running()
        .into_iter()
        .find(|p| p.name().starts_with("gateway-"));
    gateway.expect("a gateway runs").kill9();
    system.start_gateway().await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let stored = system.events(&id).await;
    let stored: Vec<_> = stored.into_iter().map(|e| (e.seq, e.event_type)).collect();
    assert_eq!(log.await.expect("it reads to the end"), stored);
    assert_eq!(feed.await.expect("it reads to the end"), stored);
    eprintln!(
        "{} connections broke, {} events",
        proxy.broken(),
        stored.len()
    );
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}

/// The deltas, put together, are the reply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chunks_are_the_answer() {
    let system = System::start(Setup::fast().agent(agent("plain", json!({})))).await;
    system.start_worker().await;
    let query = "[[sim:tokens=60]][[sim:token_delay_ms=10]] a";
    let id = system
        .submit(SubmitTask {
            stream: true,
            ..ask("plain", query)
        })
        .await;
    let mut text = String::new();
    let mut events = pin!(system.client().events(id.as_str(), 0));
    while let Some(event) = events.next().await {
        let event = event.expect("the stream goes on");
        if event.event_type == "progress_update_completion_chunk" {
            text.push_str(event.data["text"].as_str().expect("a chunk has text"));
        }
    }
    let result = system
        .client()
        .wait_result(id.as_str(), Some(SOON))
        .await
        .expect("a result");
    assert_eq!(result.output, Some(json!(text)));
    system.finish().await;
}

/// Reads what is told of a task, and puts its text together.
async fn read_text(system: Arc<System>, id: TaskId) -> (String, usize) {
    let (mut text, mut parts) = (String::new(), 0);
    let mut live = pin!(system.client().live(id.as_str(), 0));
    while let Some(told) = live.next().await {
        let Live::Text(part) = told.expect("the stream goes on") else {
            continue;
        };
        let offset = usize::try_from(part.offset).expect("it fits");
        assert!(
            offset == 0 || offset == text.len(),
            "{part:?} after {}",
            text.len()
        );
        text.truncate(offset);
        text.push_str(&part.text);
        parts += 1;
    }
    (text, parts)
}

/// Without `stream`, text is in no log; whoever joins gets what there is of the open reply, and then the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_joins_in_the_middle_gets_the_whole_reply() {
    let system = Arc::new(System::start(Setup::fast().agent(agent("plain", json!({})))).await);
    system.start_worker().await;
    let query = "[[sim:tokens=100]][[sim:token_delay_ms=30]] a";
    let id = system.submit(ask("plain", query)).await;
    let read = || tokio::spawn(read_text(Arc::clone(&system), id.clone()));
    let first = read();
    system.when_asked(&id, 1).await;
    // The model is about to say something; then it is in the middle; then it is nearly done.
    let mut readers = vec![first];
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        readers.push(read());
    }
    let result = system.client().wait_result(id.as_str(), Some(SOON)).await;
    let output = result.expect("a result").output.expect("an output");
    let output = output.as_str().expect("it is text");
    for reader in readers {
        let (text, parts) = reader.await.expect("it reads to the end");
        // The last few tokens may come with the commit alone.
        assert!(output.starts_with(&text), "{text}");
        assert!(
            text.len() + 100 >= output.len(),
            "{} of {}",
            text.len(),
            output.len()
        );
        assert!(parts > 2, "{parts}");
    }
    let stored = system.events(&id).await;
    assert!(of_type(&stored, "progress_update_completion_chunk").is_empty());
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}
