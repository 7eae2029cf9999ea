//! HTTP tools that answer later, at a URL for one call.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use factorial_api::{CallbackRequest, ErrorCode};
use factorial_core::TaskState;
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::{Value, json};

use super::{SOON, parked, results};

/// An endpoint that takes jobs, and remembers where to answer.
struct Endpoint {
    url: String,
    callbacks: Arc<Mutex<Vec<String>>>,
}

async fn endpoint(status: StatusCode) -> Endpoint {
    let callbacks: Arc<Mutex<Vec<String>>> = Arc::default();
    let take = move |State(callbacks): State<Arc<Mutex<Vec<String>>>>, headers: HeaderMap| async move {
        let url = headers["factorial-callback-url"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(headers.contains_key("idempotency-key"));
        callbacks.lock().unwrap().push(url);
        status
    };
    let app = Router::new()
        .route("/jobs", post(take))
        .with_state(Arc::clone(&callbacks));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jobs", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Endpoint { url, callbacks }
}

async fn system(endpoint: &Endpoint) -> System {
    let tool: Value = json!({
        "kind": "http", "name": "render", "description": "Is tested.", "method": "POST", "url": endpoint.url,
        "deferred": true, "parameters": { "type": "object", "properties": {} },
    });
    let setup = Setup::fast()
        .agent(agent("artist", json!({ "tools": [tool] })))
        .worker("--public-url", "http://factorial.example.org/below");
    let system = System::start(setup).await;
    system.start_worker().await;
    system
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_endpoint_answers_once_with_nothing_but_its_url() {
    let endpoint = endpoint(StatusCode::ACCEPTED).await;
    let system = system(&endpoint).await;
    let id = system.submit(ask("artist", "render")).await;
    let urls = || async {
        let urls = endpoint.callbacks.lock().unwrap().clone();
        (!urls.is_empty()).then_some(urls)
    };
    let urls = eventually(SOON, urls).await;
    let token = urls[0]
        .strip_prefix("http://factorial.example.org/below/v1/callbacks/")
        .unwrap();
    let answer = |text: &str| CallbackRequest {
        result: Some(json!(text)),
        ..CallbackRequest::default()
    };
    // Whether the task has parked by now does not matter.
    system
        .client()
        .answer_callback(token, &answer("done"))
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    assert_eq!(
        results(&system, &id).await,
        [("render".to_owned(), "done".to_owned(), false)]
    );
    assert!(
        system
            .client()
            .answer_callback(token, &answer("done"))
            .await
            .unwrap()
            .replayed
    );
    let other = system
        .client()
        .answer_callback(token, &answer("other"))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Some(ErrorCode::ToolCallAnswered));
    let mut forged = token.to_owned();
    forged.pop();
    let refused = system
        .client()
        .answer_callback(&forged, &answer("x"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::InvalidToken));
    for process in system.running() {
        assert!(
            !process.log().contains(token),
            "{} logs a token",
            process.name()
        );
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_refuses_has_answered() {
    let endpoint = endpoint(StatusCode::BAD_REQUEST).await;
    let system = system(&endpoint).await;
    let id = system.submit(ask("artist", "render")).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let results = results(&system, &id).await;
    assert!(results[0].2 && results[0].1.contains("400"), "{results:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_does_not_ask_twice_once_the_task_has_parked() {
    let endpoint = endpoint(StatusCode::ACCEPTED).await;
    let system = system(&endpoint).await;
    let id = system.submit(ask("artist", "render")).await;
    parked(&system, &id).await;
    for worker in system.workers() {
        worker.kill9();
    }
    let url = endpoint.callbacks.lock().unwrap()[0].clone();
    let token = url.rsplit('/').next().unwrap();
    let answer = CallbackRequest {
        result: Some(json!({ "frames": 3 })),
        ..CallbackRequest::default()
    };
    system
        .client()
        .answer_callback(token, &answer)
        .await
        .unwrap();
    system.start_worker().await;
    let record = system.end(&id).await;
    assert_eq!((record.state, record.recoveries), (TaskState::Completed, 0));
    assert_eq!(endpoint.callbacks.lock().unwrap().len(), 1);
    system.finish().await;
}
