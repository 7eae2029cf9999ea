//! The store fails while a batch is being filled.

use std::time::Duration;

use factorial_core::BatchId;
use serde_json::json;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::UnixStream};

use super::{ends, events, good, keyed, view};
use crate::support::{Gateway, eventually, impatient_gateway};

const QUERY: &str = "owner_id=o1&agent=writer";

/// The batch, once more than so many of its members were accepted.
async fn filling(gateway: &Gateway, more_than: u64) -> BatchId {
    eventually("a batch that fills", async || {
        let page = gateway
            .store
            .list_batches(&factorial_core::Owners::All, None, 1)
            .await
            .ok()?;
        let batch = page.batches.into_iter().next()?;
        (batch.accepted > more_than).then_some(batch.id)
    })
    .await
}

/// A command to Redis.
async fn redis(gateway: &Gateway, command: &str) -> String {
    let url = gateway.redis.url();
    let path = url.strip_prefix("redis+unix://").unwrap();
    let mut stream = UnixStream::connect(path).await.unwrap();
    let line = format!("{command}\r\n");
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut reply = vec![0; 64 * 1024];
    let length = stream.read(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply[..length]).into_owned()
}

#[tokio::test]
async fn the_same_request_goes_on() {
    let mut gateway = impatient_gateway().await;
    let body = good(8_000);
    let submitted = tokio::spawn({
        let request = gateway
            .request(reqwest::Method::POST, &format!("/v1/batches?{QUERY}"))
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "k")
            .body(body.clone());
        async move {
            let response = request.send().await.unwrap();
            let retry = response.headers().contains_key("retry-after");
            let status = response.status().as_u16();
            let body: serde_json::Value = response.json().await.unwrap();
            (status, retry, body)
        }
    });
    let id = filling(&gateway, 100).await;
    gateway.redis.pause().unwrap();
    let (status, retry, answer) = submitted.await.unwrap();
    gateway.redis.resume().unwrap();
    assert_eq!((status, retry), (503, true), "{answer}");
    assert_eq!(answer["code"], "batch_incomplete");
    let told = &answer["batch"];
    assert_eq!(told["id"], id.as_str());
    assert_eq!(
        (&told["members"], &told["left"]),
        (&json!(8_000), &json!("resumable"))
    );
    assert_eq!(told["accepted_exact"], json!(false));
    let at_least = told["accepted"].as_u64().unwrap();
    let half_way = view(&gateway, &id).await;
    assert_eq!(half_way["status"], "filling");
    let accepted = half_way["accepted"].as_u64().unwrap();
    // What was on its way when Redis stopped may have arrived.
    assert!(
        (at_least..8_000).contains(&accepted) && accepted <= at_least + 64,
        "{told} {accepted}"
    );

    let again = keyed(&gateway, QUERY, body.clone(), Some("k")).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(again.id(), id.as_str());
    assert_eq!(again.body["status"], "running");
    assert_eq!(again.body["counts"], json!({"queued": 8_000}));
    let last = keyed(&gateway, QUERY, body, Some("k")).await;
    assert_eq!((last.status, &last.body), (200, &again.body));
}

#[tokio::test]
async fn without_a_key_it_is_cancelled() {
    let gateway = impatient_gateway().await;
    let request = keyed(&gateway, QUERY, good(8_000), None);
    let full = async {
        filling(&gateway, 100).await;
        assert!(
            redis(&gateway, "CONFIG SET maxmemory 1000000")
                .await
                .starts_with("+OK")
        );
    };
    let (answer, ()) = tokio::join!(request, full);
    redis(&gateway, "CONFIG SET maxmemory 0").await;
    assert_eq!(
        (answer.status, answer.code()),
        (503, "batch_incomplete"),
        "{answer:?}"
    );
    let told = &answer.body["batch"];
    assert_eq!(
        (&told["left"], &told["accepted_exact"]),
        (&json!("cancelled"), &json!(true))
    );
    let id: BatchId = told["id"].as_str().unwrap().parse().unwrap();
    let view = view(&gateway, &id).await;
    assert_eq!(view["status"], "cancelled");
    assert_eq!(view["counts"], json!({"cancelled": told["accepted"]}));
    assert_eq!(view["cancel_reason"], "not all members could be accepted");
    assert_eq!(ends(&events(&gateway, &id).await), ["batch_cancelled"]);
}

#[tokio::test]
async fn one_that_is_never_filled_is_sealed_as_it_is() {
    let mut gateway = impatient_gateway().await;
    let submitted = tokio::spawn({
        let request = gateway
            .request(reqwest::Method::POST, &format!("/v1/batches?{QUERY}"))
            .header("content-type", "application/x-ndjson")
            .header("idempotency-key", "k")
            .body(good(8_000));
        async move { request.send().await.unwrap().status().as_u16() }
    });
    let id = filling(&gateway, 100).await;
    gateway.redis.pause().unwrap();
    assert_eq!(submitted.await.unwrap(), 503);
    gateway.redis.resume().unwrap();
    let store = gateway.store.clone();
    let partition = id.partition();
    eventually("redis", async || store.ping().await.ok()).await;
    let before = store.unsettled_batches(partition, 10).await.unwrap();
    assert_eq!((before.overdue.len(), before.cancelling.len()), (0, 0));
    assert!(
        before
            .next
            .is_some_and(|next| next > Duration::from_secs(3_000)),
        "{before:?}"
    );
    let key = format!("{{test:{partition}}}:filling");
    redis(&gateway, &format!("ZADD {key} 1 {id}")).await;
    let after = store.unsettled_batches(partition, 10).await.unwrap();
    assert_eq!((after.overdue, after.next), (vec![id.clone()], None));
    store.seal_batch(&id, true).await.unwrap();
    let sealed = view(&gateway, &id).await;
    assert_eq!(
        (&sealed["status"], &sealed["members"]),
        (&json!("running"), &sealed["accepted"])
    );
    let again = keyed(&gateway, QUERY, good(8_000), Some("k")).await;
    assert_eq!(
        (again.status, again.code()),
        (409, "batch_closed"),
        "{again:?}"
    );
    assert_eq!(again.body["batch"]["accepted"], sealed["accepted"]);
    assert_eq!(again.body["batch"]["members"], 8_000);
}
