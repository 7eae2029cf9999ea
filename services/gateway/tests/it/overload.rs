//! Bounded concurrency: what is too much is refused at once, and streams do not keep requests out.

use std::time::Duration;

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{Gateway, config, eventually, gateway_with};

/// A request whose body never comes.
async fn half_a_request(gateway: &Gateway) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let head = b"POST /v1/tasks HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head).await.unwrap();
    stream
}

#[tokio::test]
async fn requests_beyond_the_limit_are_shed() {
    let mut config = config();
    config.max_concurrent_requests = 1;
    let gateway = gateway_with(config, 1).await;
    let held = half_a_request(&gateway).await;
    let shed = eventually("a refusal", async || {
        let answer = gateway.get("/v1/tasks").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!((shed.status, shed.code()), (503, "overloaded"));
    assert!(shed.headers.contains_key("retry-after"));
    // Whether the gateway is well can still be asked.
    assert_eq!(gateway.get("/").await.status, 200);
    drop(held);
    eventually("room", async || {
        (gateway.get("/v1/tasks").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn streams_and_long_polls_have_a_budget_of_their_own() {
    let mut config = config();
    config.max_concurrent_requests = 1;
    config.max_event_streams = 2;
    let gateway = gateway_with(config, 1).await;
    let id = gateway.submit(&json!({})).await;
    let stream = gateway.stream(&id, 0).await;
    let poll = tokio::spawn({
        let (client, id) = (gateway.client(), id.clone());
        // Whoever looks below may take its place first.
        async move {
            loop {
                let ended = client.task_result(&id, Duration::from_secs(60)).await;
                if ended.is_ok() {
                    break ended;
                }
            }
        }
    });
    let path = format!("/v1/tasks/{id}/result?wait=0.01");
    let task = format!("/v1/tasks/{id}");
    eventually("a full budget", async || {
        // Refused because two are waiting, not because one is working.
        let full = gateway.get(&path).await.status == 503;
        (full && gateway.get(&task).await.status == 200).then_some(())
    })
    .await;
    let request = gateway.request(reqwest::Method::GET, &format!("/v1/tasks/{id}/events"));
    let refused = gateway
        .send(request.header("accept", "text/event-stream"))
        .await;
    assert_eq!((refused.status, refused.code()), (503, "overloaded"));
    // Two are waiting and one may work: it does.
    assert_eq!(gateway.get(&task).await.status, 200);
    drop(stream);
    eventually("room", async || {
        (gateway.get(&path).await.status == 200).then_some(())
    })
    .await;
    gateway.client().cancel(&id, None).await.unwrap();
    poll.await.unwrap().unwrap();
}
