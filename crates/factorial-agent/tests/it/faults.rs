//! What providers and networks do to a reply, and what becomes of the run.

use std::time::Duration;

use factorial_agent::{Agent, ErrorKind, Failure, ModelTarget, Output, Provider, RunEnd};
use factorial_sim::{Behaviour, Fault, RetryAfter};

use crate::support::{
    MemoryJournal, PATIENCE, Script, build, definition, eventually, sim, with_tools,
};

fn failure(end: RunEnd) -> Failure {
    match end {
        RunEnd::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

async fn failed(fault: Fault, tools: &[&str]) -> Failure {
    let sim = sim().await;
    sim.behave(Behaviour::fault(fault));
    let agent = build(with_tools(definition(&sim.base_url()), tools));
    let journal = MemoryJournal::new("tell me about seven things");
    let failure = failure(journal.run(&agent).await);
    assert!(
        journal.entries().is_empty() || tools.is_empty(),
        "nothing of a broken reply is committed: {:?}",
        journal.entries()
    );
    failure
}

fn status(status: u16, code: Option<&str>) -> Fault {
    Fault::Status {
        status,
        code: code.map(str::to_owned),
        retry_after: None,
        retry_after_ms: None,
    }
}

#[tokio::test]
async fn broken_replies_are_retryable_and_never_taken_as_whole() {
    for (fault, tools, expected) in [
        (Fault::Disconnect, &[][..], ErrorKind::Network),
        (
            Fault::Cut { after_tokens: 3 },
            &[],
            ErrorKind::StreamInterrupted,
        ),
        (
            Fault::Cut { after_tokens: 1 },
            &["alpha"],
            ErrorKind::StreamInterrupted,
        ),
        (Fault::NoEnd, &[], ErrorKind::StreamInterrupted),
        (Fault::NoEnd, &["alpha"], ErrorKind::StreamInterrupted),
        (
            Fault::MalformedChunk { after_tokens: 2 },
            &[],
            ErrorKind::InvalidReply,
        ),
        (
            Fault::MalformedChunk { after_tokens: 1 },
            &["alpha"],
            ErrorKind::InvalidReply,
        ),
        (Fault::InvalidUtf8, &[], ErrorKind::StreamInterrupted),
    ] {
        let failure = failed(fault.clone(), tools).await;
        assert_eq!(failure.kind, expected, "{fault:?}: {failure:?}");
        assert!(
            failure.retryable && failure.status.is_none(),
            "{fault:?}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn statuses_are_classified() {
    for (code, name, expected) in [
        (400, None, ErrorKind::BadRequest),
        (
            400,
            Some("context_length_exceeded"),
            ErrorKind::ContextOverflow,
        ),
        (401, None, ErrorKind::Authentication),
        (403, None, ErrorKind::Authentication),
        (404, None, ErrorKind::NotFound),
        (408, None, ErrorKind::Timeout),
        (409, None, ErrorKind::ServerError),
        (429, None, ErrorKind::RateLimited),
        (500, None, ErrorKind::ServerError),
        (502, None, ErrorKind::ServerError),
        (503, None, ErrorKind::Overloaded),
        (504, None, ErrorKind::Timeout),
    ] {
        let failure = failed(status(code, name), &[]).await;
        assert_eq!(
            (failure.kind, failure.status),
            (expected, Some(code)),
            "{failure:?}"
        );
        assert_eq!(failure.retryable, expected.retryable());
        assert_eq!(failure.turn, 1);
    }
}

#[tokio::test]
async fn retry_after_is_passed_on_in_all_its_forms() {
    let fault = |retry_after, retry_after_ms| Fault::Status {
        status: 429,
        code: None,
        retry_after,
        retry_after_ms,
    };
    for (fault, low, high) in [
        (fault(Some(RetryAfter::Seconds(7)), None), 7.0, 7.0),
        (fault(None, Some(1500)), 1.5, 1.5),
        (fault(Some(RetryAfter::DateInSeconds(30)), None), 28.0, 31.0),
        (fault(Some(RetryAfter::DateInSeconds(-30)), None), 0.0, 0.0),
    ] {
        let failure = failed(fault.clone(), &[]).await;
        let wait = failure
            .retry_after
            .unwrap_or_else(|| panic!("{fault:?}"))
            .as_secs_f64();
        assert!((low..=high).contains(&wait), "{fault:?}: {wait}");
    }
    assert_eq!(failed(fault(None, None), &[]).await.retry_after, None);
    assert_eq!(
        failed(fault(Some(RetryAfter::Text("soon".into())), None), &[])
            .await
            .retry_after,
        None
    );
}

#[tokio::test]
async fn refusals_are_permanent() {
    let refused = failed(Fault::Refusal, &[]).await;
    assert_eq!(
        (refused.kind, refused.retryable),
        (ErrorKind::Refused, false)
    );
    assert!(
        refused.message.starts_with("the model refused: "),
        "{}",
        refused.message
    );
    assert!(refused.uncommitted_usage.input > 0);
    assert_eq!(
        failed(Fault::ContentFilter, &[]).await.kind,
        ErrorKind::Refused
    );
}

#[tokio::test]
async fn a_cut_text_is_complete_and_flagged() {
    let sim = sim().await;
    sim.behave(Behaviour::fault(Fault::Length));
    let journal = MemoryJournal::new("a long story");
    assert_eq!(
        journal.run(&build(definition(&sim.base_url()))).await,
        RunEnd::Completed
    );
    assert!(matches!(
        journal.output(),
        Some(Output::Text {
            truncated: true,
            ..
        })
    ));
}

#[tokio::test]
async fn a_hang_ends_with_the_turn_timeout_and_closes_the_connection() {
    for after_tokens in [None, Some(2)] {
        let sim = sim().await;
        sim.behave(Behaviour::fault(Fault::Hang { after_tokens }));
        let journal = MemoryJournal::new("hello").with_turn_timeout(Duration::from_millis(300));
        let failure = failure(journal.run(&build(definition(&sim.base_url()))).await);
        assert_eq!(
            (failure.kind, failure.retryable),
            (ErrorKind::Timeout, true)
        );
        eventually("the server sees the connection close", || {
            sim.stats().closed_early == 1
        })
        .await;
    }
}

#[tokio::test]
async fn dropping_a_run_closes_its_connection_at_once() {
    let sim = sim().await;
    sim.behave(Behaviour::fault(Fault::Hang {
        after_tokens: Some(1),
    }));
    let agent = build(definition(&sim.base_url()));
    let journal = MemoryJournal::new("hello");
    let run = agent.run(journal.next_run());
    let stop = eventually("a delta", || !journal.deltas().is_empty());
    tokio::select! { end = run => panic!("{end:?}"), () = stop => {} }
    eventually("the server sees the connection close", || {
        sim.stats().closed_early == 1
    })
    .await;
}

#[tokio::test]
async fn nobody_listening_is_a_network_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let failure = failure(
        MemoryJournal::new("hello")
            .run(&build(definition(&url)))
            .await,
    );
    assert_eq!(
        (failure.kind, failure.retryable),
        (ErrorKind::Network, true)
    );
    assert!(
        failure.message.starts_with("could not connect") && !failure.message.contains("127.0.0.1"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn errors_inside_a_stream_are_read() {
    let begun = r#"{"id":"r","choices":[{"index":0,"delta":{"content":"par"}}]}"#;
    for (event, expected) in [
        (
            r#"{"error":{"type":"server_error","message":"overheated"}}"#,
            ErrorKind::ServerError,
        ),
        (
            r#"{"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#,
            ErrorKind::RateLimited,
        ),
        (
            r#"{"error":{"code":"context_length_exceeded","message":"long"}}"#,
            ErrorKind::ContextOverflow,
        ),
    ] {
        let server = Script::start(vec![Script::stream(&[begun, event, "[DONE]"])]).await;
        let failure = failure(
            MemoryJournal::new("q")
                .run(&build(definition(&server.base_url())))
                .await,
        );
        assert_eq!(failure.kind, expected, "{failure:?}");
    }
}

#[tokio::test]
async fn ends_that_say_too_little_are_no_replies() {
    let text =
        r#"{"id":"r","choices":[{"index":0,"delta":{"content":"par"},"finish_reason":null}]}"#;
    let stop = r#"{"id":"r","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let calls = r#"{"id":"r","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
    let odd = r#"{"id":"r","choices":[{"index":0,"delta":{},"finish_reason":"failed"}]}"#;
    for (stream, expected) in [
        (vec![text, "[DONE]"], ErrorKind::StreamInterrupted),
        (vec![text, stop], ErrorKind::StreamInterrupted),
        (vec!["[DONE]"], ErrorKind::StreamInterrupted),
        (vec![], ErrorKind::StreamInterrupted),
        (vec![text, calls, "[DONE]"], ErrorKind::InvalidReply),
        (vec![text, odd, "[DONE]"], ErrorKind::InvalidReply),
    ] {
        let server = Script::start(vec![Script::stream(&stream)]).await;
        let failure = failure(
            MemoryJournal::new("q")
                .run(&build(definition(&server.base_url())))
                .await,
        );
        assert_eq!(
            (failure.kind, failure.retryable),
            (expected, true),
            "{stream:?}: {failure:?}"
        );
    }
    let page = Script::response(
        "200 OK",
        "content-type: text/html\r\n",
        "<html>welcome</html>",
    );
    let server = Script::start(vec![page]).await;
    let failure = failure(
        MemoryJournal::new("q")
            .run(&build(definition(&server.base_url())))
            .await,
    );
    assert_eq!(failure.kind, ErrorKind::StreamInterrupted);
}

#[tokio::test]
async fn empty_choices_are_not_a_reply() {
    let failure = failed(Fault::EmptyChoices, &[]).await;
    assert!(
        matches!(
            failure.kind,
            ErrorKind::StreamInterrupted | ErrorKind::InvalidReply
        ) && failure.retryable,
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_huge_reply_is_stopped() {
    let failure = failed(Fault::Huge { bytes: 32 << 20 }, &[]).await;
    assert_eq!(failure.kind, ErrorKind::InvalidReply);
    assert!(
        failure.message.contains("larger than"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn fallbacks_are_asked_in_order() {
    let good = sim().await;
    for (fault, answers) in [
        (status(503, None), true),
        (status(401, None), true),
        (status(404, None), true),
        (Fault::Disconnect, true),
        (Fault::Hang { after_tokens: None }, true),
        (
            Fault::Hang {
                after_tokens: Some(2),
            },
            false,
        ),
        (status(400, None), false),
        (Fault::Cut { after_tokens: 3 }, false),
    ] {
        let bad = sim().await;
        bad.behave(Behaviour::fault(fault.clone()));
        let mut definition = definition(&bad.base_url());
        let fallback = ModelTarget {
            base_url: Some(good.base_url()),
            ..ModelTarget::new(Provider::OpenaiCompatible, "second")
        };
        definition.model.fallbacks = vec![fallback];
        let journal = MemoryJournal::new("hello").with_turn_timeout(Duration::from_millis(800));
        let end = journal.run(&build(definition)).await;
        assert_eq!(end == RunEnd::Completed, answers, "{fault:?}: {end:?}");
    }
    assert!(
        good.requests()
            .iter()
            .all(|request| request.model == "second")
    );
}

#[tokio::test]
async fn slow_tokens_run_into_the_turn_timeout() {
    let sim = sim().await;
    sim.behave(Behaviour {
        token_delay_ms: Some(60_000),
        ..Behaviour::default()
    });
    let journal = MemoryJournal::new("hello").with_turn_timeout(Duration::from_millis(300));
    let before = std::time::Instant::now();
    let failure = failure(journal.run(&build(definition(&sim.base_url()))).await);
    assert_eq!(failure.kind, ErrorKind::Timeout);
    assert!(before.elapsed() < PATIENCE / 4);
}
