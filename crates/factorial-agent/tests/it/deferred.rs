//! Deferred HTTP calls against a real endpoint.

use factorial_agent::{Agent, Output, Run, RunEnd, ToolErrorKind, WaitOutcome};
use serde_json::{Value, json};

use crate::support::{Endpoint, Entry, Hit, MemoryJournal, Planner, with_definitions};

fn tool(url: &str, more: &Value) -> Value {
    let mut tool = json!({"kind": "http", "name": "job", "url": url, "deferred": true,
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}});
    tool.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!([tool])
}

async fn model() -> Planner {
    Planner::start(vec![("j", "job", json!({"n": 1}))]).await
}

fn hit(body: &str, trace: &str) -> Hit {
    Hit {
        key: "task-1/j".into(),
        callback: "http://gateway/answer/j".into(),
        trace: trace.into(),
        body: body.into(),
    }
}

#[tokio::test]
async fn the_endpoint_is_told_where_to_answer() {
    let (endpoint, model) = (Endpoint::start().await, model().await);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (method, body) in [("POST", r#"{"n":1}"#), ("GET", "")] {
        let url = format!("{}/202", endpoint.base);
        let (agent, _) =
            with_definitions(&model.base_url(), tool(&url, &json!({"method": method})));
        let journal = MemoryJournal::new("q");
        let run = Run {
            trace: Some(trace.into()),
            ..journal.next_run()
        };
        assert_eq!(agent.run(run).await, RunEnd::Parked);
        assert_eq!(endpoint.hits().last(), Some(&hit(body, trace)));
        assert_eq!(
            journal.open_waits(),
            ["j"],
            "the body of the response is not the result"
        );
        journal.answer("j", WaitOutcome::Result, json!("done"));
        assert_eq!(journal.run(&agent).await, RunEnd::Completed);
        assert_eq!(journal.output(), Some(Output::text("j=done")));
    }
    assert_eq!(
        endpoint.hits().len(),
        2,
        "an answered call is not sent again"
    );
}

#[tokio::test]
async fn a_call_that_the_endpoint_refuses_has_failed() {
    let (endpoint, model) = (Endpoint::start().await, model().await);
    for (url, words) in [
        (
            format!("{}/500", endpoint.base),
            "http_status: HTTP 500 Internal Server Error: because",
        ),
        (format!("{}/307", endpoint.base), "http_status: HTTP 307"),
        ("http://127.0.0.1:1/".to_owned(), "network: "),
    ] {
        let (agent, _) = with_definitions(&model.base_url(), tool(&url, &json!({})));
        let journal = MemoryJournal::new("q");
        assert_eq!(journal.run(&agent).await, RunEnd::Completed, "{url}");
        let record = &journal.tools()[0];
        assert_eq!(record.error_kind, Some(ToolErrorKind::DeferredError));
        assert!(record.content.contains(words), "{}", record.content);
        assert_eq!(record.taken.len(), 1);
    }
}

#[tokio::test]
async fn an_answer_before_the_refusal_wins() {
    let (endpoint, model) = (Endpoint::start().await, model().await);
    let url = format!("{}/500", endpoint.base);
    let (agent, _) = with_definitions(&model.base_url(), tool(&url, &json!({})));
    let journal = MemoryJournal::new("q");
    // The first run is lost before it can say that the call was refused; the second has seen the wait open.
    journal.cut(2, false);
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.uncut();
    let run = journal.next_run();
    journal.answer("j", WaitOutcome::Result, json!("first"));
    assert_eq!(agent.run(run).await, RunEnd::Completed);
    let settled = |entry: &Entry| matches!(entry, Entry::Settle(..));
    assert!(journal.entries().iter().any(settled));
    assert_eq!(journal.output(), Some(Output::text("j=first")));
}

#[tokio::test]
async fn without_a_public_url_the_call_fails_and_nothing_is_registered() {
    let (endpoint, model) = (Endpoint::start().await, model().await);
    let url = format!("{}/202", endpoint.base);
    let (agent, _) = with_definitions(
        &model.base_url(),
        tool(&url, &json!({"approval": "always"})),
    );
    let mut journal = MemoryJournal::new("q");
    journal.callback = None;
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(
        journal.tools()[0].error_kind,
        Some(ToolErrorKind::NoCallbackUrl)
    );
    assert!(journal.waits().is_empty() && endpoint.hits().is_empty());
}

#[tokio::test]
async fn a_call_is_sent_again_after_a_crash_unless_it_must_not_be() {
    for (once, hits) in [(false, 2), (true, 1)] {
        let (endpoint, model) = (Endpoint::start().await, model().await);
        let url = format!("{}/202", endpoint.base);
        let (agent, _) = with_definitions(
            &model.base_url(),
            tool(&url, &json!({"at_most_once": once})),
        );
        let journal = MemoryJournal::new("q");
        // The reply is committed, the call is sent, the task does not park.
        journal.cut(2, false);
        assert_eq!(journal.run(&agent).await, RunEnd::Lost);
        journal.uncut();
        assert_eq!(endpoint.hits().len(), 1);
        assert_eq!(journal.run(&agent).await, RunEnd::Parked);
        assert_eq!(endpoint.hits(), vec![hit(r#"{"n":1}"#, ""); hits]);
    }
}

#[tokio::test]
async fn an_approved_call_is_sent_with_the_arguments_as_approved() {
    let (endpoint, model) = (Endpoint::start().await, model().await);
    let url = format!("{}/202", endpoint.base);
    let (agent, _) = with_definitions(
        &model.base_url(),
        tool(&url, &json!({"approval": "always"})),
    );
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert!(endpoint.hits().is_empty());
    journal.answer("a:j", WaitOutcome::Approved, json!({"arguments": {"n": 5}}));
    // Registered, sent, and lost before it parks; the next run sends the same.
    journal.cut(2, false);
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.uncut();
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(endpoint.hits(), vec![hit(r#"{"n":5}"#, ""); 2]);
    let registered = |entry: &&Entry| matches!(entry, Entry::Register(..));
    assert_eq!(journal.entries().iter().filter(registered).count(), 1);
}
