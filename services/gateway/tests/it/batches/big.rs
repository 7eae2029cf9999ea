//! As many members as there may be, and a gateway that does not hold them.

use std::{fs, time::Instant};

use factorial_client::Client;
use factorial_core::{Namespace, Store, StoreOptions};
use futures::stream;
use serde_json::{Value, json};

use crate::{
    process::started,
    support::{Hand, redis},
};

const MEMBERS: usize = 100_000;
/// Each line is more than 500 bytes: 55 MB in all.
const PADDING: usize = 500;
/// What the process may grow by.
const MOST_GROWTH_KB: u64 = 96 * 1024;

/// A value of `/proc/<pid>/status`, in KB.
fn memory(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_members_are_accepted_in_bounded_memory() {
    let redis = redis().await;
    let (child, url, _) = started(&redis.url()).await;
    let pid = child.id().unwrap();
    let namespace = Namespace::new("factorial").unwrap();
    let store = Store::connect(&StoreOptions::new(redis.url(), namespace))
        .await
        .unwrap();
    Hand::new(store.clone()).announce(&["noop"]).await;
    let before = memory(pid, "VmRSS");

    let padding = "x".repeat(PADDING);
    let lines = (0..MEMBERS).map(move |n| {
        Ok::<_, std::io::Error>(format!(
            "{{\"query\":\"{padding}\",\"custom_id\":\"{n}\"}}\n"
        ))
    });
    let begun = Instant::now();
    let answer = reqwest::Client::new()
        .post(format!("{url}/v1/batches?owner_id=o1&agent=noop"))
        .header("content-type", "application/x-ndjson")
        .header("idempotency-key", "k")
        .body(reqwest::Body::wrap_stream(stream::iter(lines)))
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap();
    let took = begun.elapsed();
    assert_eq!(status, 201, "{answer}");
    assert_eq!(answer["counts"], json!({"queued": MEMBERS}));
    let grown = memory(pid, "VmHWM").saturating_sub(before);
    println!(
        "{MEMBERS} members in {took:?}; resident memory grew by at most {grown} KB from {before} KB"
    );
    assert!(grown < MOST_GROWTH_KB, "{grown} KB more than {before} KB");

    let id = answer["id"].as_str().unwrap();
    let client = Client::builder(&url).build().unwrap();
    let begun = Instant::now();
    let cancelled = client.cancel_batch(id, None).await.unwrap();
    println!("cancelled in {:?}", begun.elapsed());
    assert_eq!(cancelled.counts["cancelled"], MEMBERS as u64);
    assert_eq!(cancelled.status, factorial_api::BatchStatus::Cancelled);
    let events = client.batch_event_page(id, 0, Some(1000)).await.unwrap();
    assert!(events.data.len() <= 103, "{}", events.data.len());
}
