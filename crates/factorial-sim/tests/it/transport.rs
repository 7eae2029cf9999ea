//! Faults of the connection, and clients that go away.

use std::time::Duration;

use factorial_sim::{Behaviour, Fault, Sim, SimConfig};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::*;

/// Reads a response until it ends or breaks: its bytes, and whether it ended as HTTP wants it.
async fn read(mut response: reqwest::Response) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes, true),
            Err(_) => return (bytes, false),
        }
    }
}

#[tokio::test]
async fn a_stream_is_cut_in_the_middle_of_a_token() {
    let h = Harness::faulty(Behaviour::fault(Fault::Cut { after_tokens: 3 })).await;
    for body in [
        ask("[[sim:tokens=50]]"),
        ask_with_tool("weather in a long sentence"),
    ] {
        let (bytes, whole) = read(h.post(&streamed(&body)).await).await;
        assert!(!whole);
        let text = String::from_utf8(bytes).unwrap();
        let (events, rest) = text.rsplit_once("\n\n").unwrap();
        assert!(rest.starts_with("data: {"), "half an event follows: {rest}");
        let tokens = events
            .split("\n\n")
            .filter(|event| {
                let event: Value = serde_json::from_str(&event[6..]).unwrap();
                let delta = &event["choices"][0]["delta"];
                let call = &delta["tool_calls"][0];
                let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                !arguments.is_empty() || !delta["content"].as_str().unwrap_or_default().is_empty()
            })
            .count();
        assert_eq!(tokens, 3);
    }
    let stats = h.sim.stats();
    assert_eq!((stats.broken, stats.closed_early, stats.current), (2, 0, 0));
    let (bytes, whole) = read(h.post(&ask("hello")).await).await;
    assert!(!whole && !bytes.is_empty());
}

#[tokio::test]
async fn a_fault_after_more_tokens_than_there_are_strikes_before_the_end() {
    let h = Harness::faulty(Behaviour::fault(Fault::Cut { after_tokens: 999 })).await;
    let (bytes, whole) = read(h.post(&streamed(&ask("[[sim:noop]]"))).await).await;
    assert!(
        !whole
            && !String::from_utf8(bytes)
                .unwrap()
                .contains("\"finish_reason\":\"stop\"")
    );
}

#[tokio::test]
async fn a_connection_is_closed_without_a_response() {
    let h = Harness::faulty(Behaviour::fault(Fault::Disconnect).times(1)).await;
    // By hand, because a client library may send the request again.
    let body = ask("hello").to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: sim\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = tokio::net::TcpStream::connect(h.sim.address())
        .await
        .unwrap();
    connection
        .write_all((head + &body).as_bytes())
        .await
        .unwrap();
    let mut received = Vec::new();
    connection.read_to_end(&mut received).await.unwrap();
    assert_eq!(received, b"");
    assert_eq!(h.sim.stats().broken, 1);
    h.chat(&ask("hello")).await;
}

#[tokio::test]
async fn a_stream_ends_without_an_end() {
    let h = Harness::faulty(Behaviour::fault(Fault::NoEnd)).await;
    for body in [ask("hello"), ask_with_tool("weather")] {
        let (bytes, whole) = read(h.post(&streamed(&body)).await).await;
        let text = String::from_utf8(bytes).unwrap();
        assert!(whole && !text.contains("[DONE]") && text.ends_with("\n\n"));
        assert_eq!(
            text.matches("\"finish_reason\":").count(),
            text.matches("\"finish_reason\":null").count()
        );
        let reply = h.chat(&body).await;
        assert_eq!(reply["choices"][0]["finish_reason"], Value::Null);
    }
    assert_eq!(h.sim.stats().by_status, [(200, 4)].into());
}

#[tokio::test]
async fn a_chunk_is_not_json() {
    let h = Harness::faulty(Behaviour::fault(Fault::MalformedChunk { after_tokens: 2 })).await;
    let text = h.stream_text(&ask("[[sim:tokens=9]]")).await;
    let bad = text
        .split_terminator("\n\n")
        .filter(|event| serde_json::from_str::<Value>(&event[6..]).is_err())
        .count();
    assert_eq!(bad, 2, "the chunk and [DONE]");
    assert!(text.ends_with("data: [DONE]\n\n"));
    let body = h.post(&ask("hello")).await.text().await.unwrap();
    serde_json::from_str::<Value>(&body).unwrap_err();
}

#[tokio::test]
async fn a_chunk_is_not_utf8() {
    let h = Harness::faulty(Behaviour::fault(Fault::InvalidUtf8)).await;
    for body in [ask("hello"), ask_with_tool("hello")] {
        for body in [streamed(&body), body] {
            let (bytes, whole) = read(h.post(&body).await).await;
            assert!(whole);
            String::from_utf8(bytes).unwrap_err();
        }
    }
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_leaves() {
    let h = Harness::start().await;
    for (after_tokens, body) in [
        (None, ask("hello [[sim:latency_ms=0]]")),
        (None, streamed(&ask("hello"))),
        (Some(2), streamed(&ask("hello"))),
    ] {
        h.sim.reset();
        h.sim.behave(Behaviour::fault(Fault::Hang { after_tokens }));
        let request = h.http.post(h.url()).json(&body).send();
        let reading = tokio::spawn(async move { read(request.await.unwrap()).await });
        h.until("arrived", |sim| sim.requests().len() == 1).await;
        assert!(!h.sim.requests()[0].closed_early);
        assert_eq!(h.sim.stats().current, 1);
        reading.abort();
        h.until("closed", |sim| sim.stats().closed_early == 1).await;
        assert!(h.sim.requests()[0].closed_early);
        assert_eq!(h.sim.stats().current, 0);
    }
}

#[tokio::test]
async fn a_client_that_leaves_early_is_noticed() {
    let h = Harness::start().await;
    let slow = streamed(&ask("[[sim:tokens=1000]][[sim:token_delay_ms=20]]"));
    let mut response = h.post(&slow).await;
    response.chunk().await.unwrap().unwrap();
    drop(response);
    h.until("closed", |sim| sim.stats().closed_early == 1).await;

    let late = ask("[[sim:latency_ms=600000]]");
    let sent = h
        .http
        .post(h.url())
        .json(&late)
        .timeout(Duration::from_millis(50))
        .send()
        .await;
    assert!(sent.unwrap_err().is_timeout());
    h.until("closed", |sim| sim.stats().closed_early == 2).await;
    assert_eq!(h.sim.stats().current, 0);
}

#[tokio::test]
async fn concurrent_requests_are_counted() {
    let h = Harness::start().await;
    h.sim
        .behave(Behaviour::fault(Fault::Hang { after_tokens: None }));
    let tasks: Vec<_> = (0..20)
        .map(|_| tokio::spawn(h.http.post(h.url()).json(&ask("hello")).send()))
        .collect();
    h.until("all there", |sim| sim.stats().current == 20).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    h.until("all gone", |sim| sim.stats().current == 0).await;
    assert_eq!(h.sim.stats().peak, 20);
}

#[tokio::test]
async fn a_stopped_server_can_be_started_again_where_it_was() {
    let Harness { sim, http } =
        Harness::faulty(Behaviour::fault(Fault::Hang { after_tokens: None })).await;
    let (address, url) = (sim.address(), format!("{}/models", sim.base_url()));
    let open = tokio::spawn(
        http.post(format!("{}/chat/completions", sim.base_url()))
            .json(&ask("x"))
            .send(),
    );
    while sim.stats().current == 0 {
        tokio::task::yield_now().await;
    }
    sim.stop().await;
    open.await.unwrap().unwrap_err();
    assert!(http.get(&url).send().await.unwrap_err().is_connect());
    let _again = Sim::start_at(address, SimConfig::default()).await.unwrap();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
}
