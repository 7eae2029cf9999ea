//! Streams that go well: they say what the unstreamed reply says.

use std::time::{Duration, Instant};

use crate::support::*;

#[tokio::test]
async fn a_stream_says_the_same() {
    let h = Harness::start().await;
    for body in [
        ask("hello über ☃ wide world"),
        ask_with_tool("weather in Rome"),
        ask_with_tool("[[sim:calls=3]] weather"),
        ask("[[sim:reply=]]"),
    ] {
        let whole = h.chat(&body).await;
        let events = events(&h.stream_text(&body).await);
        let joined = joined(&events);
        assert_eq!(joined["message"], whole["choices"][0]["message"]);
        assert_eq!(
            joined["finish_reason"],
            whole["choices"][0]["finish_reason"]
        );
        let (last, others) = events.split_last().unwrap();
        assert_eq!(last["usage"], whole["usage"]);
        assert_eq!(last["choices"], serde_json::json!([]));
        assert!(others.iter().all(|event| event["usage"].is_null()));
        assert!(
            events
                .iter()
                .all(|event| event["id"] == whole["id"]
                    && event["object"] == "chat.completion.chunk")
        );
    }
}

#[tokio::test]
async fn usage_is_streamed_only_when_asked_for() {
    let h = Harness::start().await;
    let body = with(ask("hello"), "stream", true.into());
    let text = h.post(&body).await.text().await.unwrap();
    assert!(
        events(&text)
            .iter()
            .all(|event| event.get("usage").is_none())
    );
}

#[tokio::test]
async fn latency_comes_before_the_first_byte_and_delay_before_each_token() {
    let h = Harness::start().await;
    let begin = Instant::now();
    h.chat(&ask("[[sim:latency_ms=120]]")).await;
    assert!(begin.elapsed() >= Duration::from_millis(120));

    let begin = Instant::now();
    let mut response = h
        .post(&streamed(&ask(
            "[[sim:token_delay_ms=20]][[sim:tokens=10]]",
        )))
        .await;
    let mut first = None;
    while response.chunk().await.unwrap().is_some() {
        first.get_or_insert_with(|| begin.elapsed());
    }
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert!(
        first.unwrap() < Duration::from_millis(150),
        "tokens are not held back"
    );
}
