//! Requests: what is tried again, and what is not.

use std::time::{Duration, Instant};

use factorial_api::{
    ErrorCode, InputMessage, InputRole, SteerMode, SteerRequest, SubmitTask, TaskStatus,
};
use factorial_client::{Client, ClientError, TaskFilter};
use serde_json::json;

use crate::support::{broken, ok, problem, server, status, task};

#[tokio::test]
async fn a_submission_is_repeated_with_one_key() {
    let server = server([
        problem(503, "store_unavailable", None),
        broken(vec!["{\"id\"".to_owned()]),
        status(502),
        ok(task()),
    ])
    .await;
    // The answer that broke is one more failure: the task may have been accepted.
    let submitted = server.client().submit(&SubmitTask::default(), None).await;
    let asked = server.asked();
    let keys: Vec<_> = asked
        .iter()
        .map(|a| a.headers["idempotency-key"].clone())
        .collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    let submitted = submitted.unwrap();
    assert_eq!(
        (submitted.task.id.as_str(), submitted.replayed),
        ("0-x", false)
    );
    assert_eq!(asked.len(), 4);

    server
        .client()
        .submit(&SubmitTask::default(), Some("mine"))
        .await
        .unwrap_err();
    assert_eq!(server.asked()[4].headers["idempotency-key"], "mine");
}

#[tokio::test]
async fn tries_are_bounded_and_refusals_final() {
    let down = || problem(503, "overloaded", None);
    let first = server((0..9).map(|_| down())).await;
    let error = first.client().task("x").await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_temporary()),
        (Some(ErrorCode::Overloaded), true)
    );
    assert_eq!(first.lines().len(), 5);

    for (code, text) in [
        (404, "task_not_found"),
        (409, "task_finished"),
        (429, "steering_full"),
        (500, "internal"),
    ] {
        let server = server([problem(code, text, None)]).await;
        let error = server.client().task("x").await.unwrap_err();
        assert_eq!(error.problem().unwrap().status, code);
        assert_eq!(server.lines().len(), 1);
    }
}

#[tokio::test]
async fn retry_after_is_respected() {
    let patient = server([problem(503, "store_unavailable", Some(1)), ok(task())]).await;
    let asked = Instant::now();
    patient.client().task("x").await.unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(1));

    let server = server([problem(503, "store_unavailable", Some(3600))]).await;
    server.client().task("x").await.unwrap_err();
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn what_is_not_safe_is_sent_once() {
    let once = server([problem(503, "store_unavailable", None), ok(task())]).await;
    once.client().retry("x").await.unwrap_err();
    assert_eq!(once.lines(), ["POST /v1/tasks/x/retry"]);

    let server = server([
        status(502),
        ok(json!({"task_id": "x", "accepted": 1, "pending": 1})),
    ])
    .await;
    let steer = SteerRequest {
        messages: vec![InputMessage {
            role: InputRole::User,
            content: "c".to_owned(),
        }],
        mode: SteerMode::Interrupt,
        client_id: None,
    };
    server.client().steer("x", &steer).await.unwrap();
    let asked = server.asked();
    assert!(asked[0].body["client_id"].is_string());
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn paths_and_parameters_are_encoded() {
    let server = server([ok(task()), ok(json!({"data": []}))]).await;
    let client = Client::builder(format!("{}/base/", server.url))
        .api_key("secret")
        .build()
        .unwrap();
    client.task("a/../b?c#d\n").await.unwrap();
    let filter = TaskFilter {
        owner_id: Some("a&b".to_owned()),
        status: vec![TaskStatus::PendingToolResults, TaskStatus::Failed],
        ..TaskFilter::default()
    };
    client.tasks(&filter, Some("c"), Some(3)).await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].headers["authorization"], "Bearer secret");
    assert_eq!(asked[0].line, "GET /base/v1/tasks/a%2F..%2Fb%3Fc%23d");
    assert_eq!(
        asked[1].line,
        "GET /base/v1/tasks?cursor=c&limit=3&owner_id=a%26b&status=pending_tool_results%2Cfailed"
    );
    assert!(!format!("{client:?}").contains("secret"));
}

#[tokio::test]
async fn answers_that_are_not_understood() {
    let server = server([
        Box::new(|| {
            axum::response::IntoResponse::into_response((
                axum::http::StatusCode::FORBIDDEN,
                "<html>no</html>",
            ))
        }),
        ok(json!({"id": 7})),
        problem(418, "a_code_of_tomorrow", None),
    ])
    .await;
    let client = server.client();
    let error = client.task("x").await.unwrap_err();
    assert_eq!(error.to_string(), "status 403 Forbidden: <html>no</html>");
    assert!(matches!(
        client.task("x").await,
        Err(ClientError::Decode(_))
    ));
    assert!(
        matches!(client.task("x").await, Err(ClientError::Status { status, .. }) if status.as_u16() == 418)
    );
}

#[tokio::test]
async fn nobody_there() {
    let client = Client::builder("http://127.0.0.1:1").build().unwrap();
    let error = client.health().await.unwrap_err();
    assert!(error.is_connect() && error.is_temporary(), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("no answer from http://127.0.0.1:1/"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_a_gateway_is_refused() {
    for bad in ["", "localhost:8000", "ftp://x", "mailto:x"] {
        assert!(
            matches!(Client::builder(bad).build(), Err(ClientError::Setup(_))),
            "{bad}"
        );
    }
    let bad_key = Client::builder("http://x").api_key("a\nb").build();
    assert!(matches!(bad_key, Err(ClientError::Setup(text)) if !text.contains('\n')));
}

#[tokio::test]
async fn waiting_goes_on_until_the_end_or_the_patience_is_over() {
    let result = |status: &str| {
        let usage = task()["usage"].clone();
        ok(json!({"id": "x", "status": status, "usage": usage, "output": "o"}))
    };
    let ends = server([
        result("queued"),
        status(503),
        result("processing"),
        result("completed"),
    ])
    .await;
    let ended = ends.client().wait_result("x", None).await.unwrap();
    assert_eq!(ended.status, TaskStatus::Completed);
    assert_eq!(ends.lines()[0], "GET /v1/tasks/x/result?wait=30");

    let server = server([result("queued")]).await;
    let so_far = server
        .client()
        .wait_result("x", Some(Duration::ZERO))
        .await
        .unwrap();
    assert_eq!(so_far.status, TaskStatus::Queued);
}
