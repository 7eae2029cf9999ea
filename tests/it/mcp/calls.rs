//! Calls over HTTP: what they carry, what they give, and how they end.

use std::time::Instant;

use factorial_core::TaskState;
use factorial_tests::{
    eventually,
    mcp::McpServer,
    system::{System, ask},
};
use serde_json::json;

use super::{SOON, call, calls, result, results, system, until};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_calls_a_tool_and_the_server_learns_which_call_it_is() {
    let server = McpServer::start().await;
    let system = system(&[server.tool("files")]).await;
    let args = json!({ "files__echo": { "text": "hello" } });
    let response = reqwest::Client::new()
        .post(format!("{}/v1/tasks", system.url()))
        .header("traceparent", TRACE)
        .json(&ask("clerk", calls(&args)))
        .send()
        .await
        .unwrap();
    let task: serde_json::Value = response.json().await.unwrap();
    let id = task["id"].as_str().unwrap().parse().unwrap();
    system.note(&id);
    assert_eq!(
        result(&system, &id).await,
        (r#"{"text":"hello"}"#.to_owned(), false)
    );
    let seen = server.seen().calls();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].key.starts_with(&format!("{id}/")), "{seen:?}");
    assert_eq!(seen[0].meta["factorial/idempotency-key"], seen[0].key);
    assert_eq!(seen[0].meta["traceparent"], seen[0].trace);
    assert!(seen[0].trace.starts_with(&TRACE[..35]), "{seen:?}");
    // The list has several pages, and names that providers would refuse.
    assert_eq!(system.asked(&id)[0].tools, 9);
    let odd = call(&system, "files__odd_name", json!({})).await;
    assert_eq!(odd, ("this is odd.name".to_owned(), false));
    assert_eq!(server.seen().sessions(), 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_become_text_and_errors_are_told_to_the_model() {
    let server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["max_response_bytes"] = json!(1000);
    tool["include"] = json!(["mixed", "fail", "refuse", "huge", "echo"]);
    let system = system(&[tool]).await;
    let id = system.submit(ask("clerk", "[[sim:noop]]")).await;
    system.end(&id).await;
    assert_eq!(system.asked(&id)[0].tools, 5);
    let (mixed, is_error) = call(&system, "t__mixed", json!({})).await;
    assert!(!is_error);
    assert_eq!(
        mixed,
        "a text\n[image, image/png, about 6 bytes, left out: only text is passed on]\n[resource file:///note.txt]\nof a resource\n{\"answer\":42}"
    );
    for (tool, args, error) in [
        ("t__fail", json!({}), "error (failed): out of paper"),
        (
            "t__refuse",
            json!({}),
            "error (invalid_arguments): no such printer",
        ),
        (
            "t__huge",
            json!({ "bytes": 5000 }),
            "error (too_large): the result is larger than 1000 bytes",
        ),
        (
            "t__echo",
            json!({ "txt": "typo" }),
            "error (invalid_arguments): ",
        ),
    ] {
        let (text, is_error) = call(&system, tool, args).await;
        assert!(is_error && text.starts_with(error), "{tool}: {text}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_that_is_far_too_large_does_no_harm() {
    let server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["timeout_seconds"] = json!(5);
    let system = system(&[tool]).await;
    let (text, is_error) = call(&system, "t__huge", json!({ "bytes": 20 << 20 })).await;
    assert!(is_error, "{}", &text[..text.len().min(300)]);
    let after = call(&system, "t__echo", json!({})).await;
    assert_eq!(after, ("{}".to_owned(), false));
    system.finish().await;
}

async fn two_at_once(system: &System, server: &McpServer) {
    let slow = json!({ "t__slow": { "seconds": 600 } });
    let first = system.submit(ask("clerk", calls(&slow))).await;
    let second = system.submit(ask("clerk", calls(&slow))).await;
    until(|| server.seen().under_way() == 2).await;
    // Others go on meanwhile, in the same session.
    assert_eq!(call(system, "t__echo", json!({})).await.0, "{}");
    system.cancel(&first).await.unwrap();
    until(|| server.seen().cancelled() == 1).await;
    system.cancel(&second).await.unwrap();
    until(|| server.seen().cancelled() == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_run_at_once_and_a_cancelled_task_cancels_its_call() {
    let server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["timeout_seconds"] = json!(600);
    let system = system(&[tool]).await;
    two_at_once(&system, &server).await;
    assert_eq!(server.seen().sessions(), 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_is_cancelled_after_its_time() {
    let server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["timeout_seconds"] = json!(0.5);
    let system = system(&[tool]).await;
    let since = Instant::now();
    let (text, is_error) = call(&system, "t__slow", json!({ "seconds": 600 })).await;
    assert!(is_error && text.starts_with("error (timeout)"), "{text}");
    assert!(since.elapsed() < SOON);
    until(|| server.seen().cancelled() == 1).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_list_is_offered_from_the_next_run_on() {
    let server = McpServer::start().await;
    let system = system(&[server.tool("t")]).await;
    let lists = server.seen().lists();
    let told = call(&system, "t__more", json!({})).await;
    assert_eq!(told, ("told: true".to_owned(), false));
    until(|| server.seen().lists() > lists).await;
    // It is read, but perhaps not offered yet.
    let later = eventually(SOON, async || {
        let id = system
            .submit(ask("clerk", calls(&json!({ "t__later": {} }))))
            .await;
        let result = result(&system, &id).await;
        (system.asked(&id)[0].tools == 10).then_some(result)
    })
    .await;
    assert_eq!(later, ("this is later".to_owned(), false));
    assert_eq!(server.seen().sessions(), 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_can_need_a_yes() {
    let server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["approval"] = json!("always");
    let system = system(&[tool]).await;
    let args = json!({ "t__echo": { "text": "dangerous" } });
    let id = system.submit(ask("clerk", calls(&args))).await;
    let parked = |t: &factorial_core::TaskRecord| t.state == TaskState::PendingToolResults;
    system.when(&id, SOON, parked).await;
    assert!(server.seen().calls().is_empty());
    let filter = factorial_client::AskedFilter::default();
    let page = system
        .client()
        .approvals(&filter, None, None)
        .await
        .unwrap();
    let approve = factorial_api::ApproveRequest {
        arguments: json!({ "text": "harmless" }).as_object().cloned(),
        ..factorial_api::ApproveRequest::default()
    };
    let asked = &page.data[0].call_id;
    system
        .client()
        .approve(id.as_str(), asked, &approve)
        .await
        .unwrap();
    assert_eq!(result(&system, &id).await.0, r#"{"text":"harmless"}"#);
    assert_eq!(results(&system, &id).await.len(), 1);
    system.finish().await;
}
