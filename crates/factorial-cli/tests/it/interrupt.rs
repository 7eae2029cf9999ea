//! Ctrl-C against a gateway that does not answer, which no real one would do for long.

use axum::routing::{get, post};
use axum::{Json, Router};
use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpListener;

use super::support::{Process, directory, factorial};

/// Accepts a task, and then says nothing more.
async fn silent_gateway() -> String {
    let task = json!({
        "id": "0-01m83k9s2na1xg08194mfs3yq3", "agent": "a", "owner_id": "cli", "status": "queued",
        "priority": 5, "created_at": "2026-01-01T00:00:00Z", "conversation_id": "c", "turns": 0,
        "attempts": 0, "retries": 0, "recoveries": 0, "hand_backs": 0, "pending_steering": 0,
        "usage": {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0},
        "tool_calls": 0, "stream": false,
    });
    let silence = async || std::future::pending::<()>().await;
    let app = Router::new()
        .route("/v1/tasks", post(async move || Json(task)))
        .route("/v1/tasks/{id}/events", get(silence))
        .route("/v1/tasks/{id}/cancel", post(silence));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_one_leaves_the_task_alone() {
    let url = silent_gateway().await;
    let said = tokio::task::spawn_blocking(move || {
        let dir = directory();
        let mut run = Process::start(factorial(dir.path()).args(["run", "a", "b", "--url", &url]));
        run.read_err_until("queued");
        run.signal(Signal::INT);
        run.read_err_until("cancelling");
        run.signal(Signal::INT);
        run.end()
    });
    let said = said.await.unwrap();
    assert_eq!(said.code, 130, "{said:?}");
    assert!(said.err.contains("goes on"), "{said:?}");
}
