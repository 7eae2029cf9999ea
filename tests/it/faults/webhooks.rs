//! Webhooks across the deaths of reapers: what was accepted is told at least once, and the id says what is the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use factorial_api::{SubmitTask, TaskWebhook};
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::json;

use super::SOON;

const TASKS: usize = 120;

/// How often each `webhook-id` came, and how many messages are being answered.
#[derive(Clone, Default)]
struct Receiver {
    times: Arc<Mutex<BTreeMap<String, usize>>>,
    open: Arc<AtomicUsize>,
    bodies: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let first = {
        let mut times = receiver.times.lock().unwrap();
        let times = times.entry(id.clone()).or_default();
        *times += 1;
        *times == 1
    };
    receiver
        .bodies
        .lock()
        .unwrap()
        .entry(id)
        .or_default()
        .insert(body);
    receiver.open.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(if first { 150 } else { 5 })).await;
    receiver.open.fetch_sub(1, Ordering::SeqCst);
    StatusCode::NO_CONTENT
}

impl Receiver {
    async fn start() -> (Self, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let receiver = Self::default();
        let app = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_however_often_reapers_die() {
    let (receiver, url) = Receiver::start().await;
    let setup = Setup::fast()
        .partitions(2)
        .agent(agent("plain", json!({})))
        .reaper("--webhooks-allow-private-networks", "true")
        .reapers(2);
    let system = System::start(setup).await;
    system.start_worker().await;
    let mut expected = BTreeSet::new();
    for n in 0..TASKS {
        let id = system
            .submit(SubmitTask {
                webhook: Some(TaskWebhook {
                    url: url.clone(),
                    event_types: Vec::new(),
                    secret: None,
                }),
                ..ask("plain", format!("[[sim:noop]] {n}"))
            })
            .await;
        expected.insert(id);
        // One dies while it sends, at several points; another one comes.
        if n % 30 == 29 {
            eventually(SOON, || async {
                (receiver.open.load(Ordering::SeqCst) > 0).then_some(())
            })
            .await;
            let mut reapers = system.running();
            reapers.retain(|p| p.name().starts_with("reaper"));
            reapers[0].kill9();
            system.start_reaper().await;
        }
    }
    // A message that was being sent comes again when the lease of its delivery, a minute, is over.
    let patience = Duration::from_secs(120);
    eventually(patience, || async {
        let mut pending = 0;
        for partition in system.store().all_partitions() {
            pending += system.store().pending_deliveries(partition).await.ok()?;
        }
        let told = receiver.times.lock().unwrap().len();
        (pending == 0 && told == TASKS).then_some(())
    })
    .await;
    let times = receiver.times.lock().unwrap().clone();
    let mut told = BTreeSet::new();
    for id in times.keys() {
        told.insert(id.split('.').next().unwrap().parse().unwrap());
    }
    assert_eq!(told, expected);
    assert!(
        times.values().any(|n| *n > 1),
        "no reaper died between an answer and its note"
    );
    assert!(times.values().all(|n| *n < 6), "{times:?}");
    let bodies = receiver.bodies.lock().unwrap().clone();
    assert!(
        bodies.values().all(|bodies| bodies.len() == 1),
        "the same id is the same message"
    );
    system.finish().await;
}
