//! Servers that are away, and come back.

use factorial_core::TaskState;
use factorial_tests::{
    mcp::McpServer,
    system::{Setup, System, agent, ask},
};
use serde_json::json;

use super::{SOON, call, calls, result, system, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_stops_nobody_else_and_is_found_when_it_comes() {
    let mut server = McpServer::away().await;
    let setup = Setup::fast()
        .agent(agent("clerk", json!({ "tools": [server.tool("t")] })))
        .agent(agent("plain", json!({})))
        .worker("--max-retries", "50");
    let system = System::start(setup).await;
    let worker = system.start_worker().await;
    let waiting = system
        .submit(ask("clerk", calls(&json!({ "t__echo": {} }))))
        .await;
    let plain = system.submit(ask("plain", "hello")).await;
    assert_eq!(system.end(&plain).await.state, TaskState::Completed);
    let backoff = |t: &factorial_core::TaskRecord| t.state == TaskState::Backoff;
    system.when(&waiting, SOON, backoff).await;
    assert!(worker.log().contains("cannot connect to an mcp server"));
    server.restart().await;
    assert_eq!(result(&system, &waiting).await, ("{}".to_owned(), false));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stays_away_fails_the_task_as_transient() {
    let server = McpServer::away().await;
    let setup = Setup::fast()
        .agent(agent("clerk", json!({ "tools": [server.tool("t")] })))
        .worker("--max-retries", "1");
    let system = System::start(setup).await;
    system.start_worker().await;
    let id = system.submit(ask("clerk", "hello")).await;
    let task = system.end(&id).await;
    assert_eq!(task.state, TaskState::Failed);
    let failure = format!("{:?}", system.events(&id).await);
    assert!(failure.contains("tools_unavailable"), "{failure}");
    assert!(
        failure.contains("MCP server t: could not connect"),
        "{failure}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_made_again_after_a_restart() {
    let mut server = McpServer::start().await;
    let system = system(&[server.tool("t")]).await;
    assert_eq!(call(&system, "t__echo", json!({})).await.0, "{}");
    assert_eq!(server.seen().sessions(), 1);
    server.restart().await;
    // The call finds that the session is unknown, which says that it was not made, and is made in a new one.
    assert_eq!(
        call(&system, "t__echo", json!({})).await,
        ("{}".to_owned(), false)
    );
    assert_eq!(server.seen().sessions(), 2);
    assert_eq!(server.seen().calls().len(), 2);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_breaks_is_told_and_the_next_one_works() {
    let mut server = McpServer::start().await;
    let mut tool = server.tool("t");
    tool["timeout_seconds"] = json!(3);
    let system = system(&[tool]).await;
    let slow = json!({ "t__slow": { "seconds": 600 } });
    let id = system.submit(ask("clerk", calls(&slow))).await;
    until(|| server.seen().under_way() == 1).await;
    server.restart().await;
    let (text, is_error) = result(&system, &id).await;
    assert!(is_error, "{text}");
    assert_eq!(
        call(&system, "t__echo", json!({})).await,
        ("{}".to_owned(), false)
    );
    assert_eq!(server.seen().calls().len(), 2);
    system.finish().await;
}
