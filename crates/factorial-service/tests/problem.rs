//! Problem documents over real HTTP.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use factorial_api::FieldError;
use factorial_service::{ApiError, ErrorKind, REQUEST_ID_HEADER, add_request_id};
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn invalid() -> ApiError {
    ApiError::invalid(vec![FieldError {
        field: "/agent".to_owned(),
        message: "must not be empty".to_owned(),
    }])
    .with_detail("1 field is wrong")
}

async fn unknown() -> ApiError {
    ApiError::new(ErrorKind::UnknownAgent).with_known_agents(vec!["writer".to_owned()])
}

async fn broken() -> ApiError {
    ApiError::internal(std::io::Error::other("password hunter2")).with_detail("hunter2")
}

async fn down() -> ApiError {
    ApiError::new(ErrorKind::StoreUnavailable)
}

async fn full() -> ApiError {
    ApiError::new(ErrorKind::SteeringFull).with_retry_after(Duration::from_millis(1500))
}

async fn serve() -> String {
    let app = Router::new()
        .route("/invalid", get(invalid))
        .route("/unknown", get(unknown))
        .route("/broken", get(broken))
        .route("/down", get(down))
        .route("/full", get(full))
        .layer(from_fn(add_request_id));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn ask(path: &str) -> (u16, Option<String>, Value) {
    let url = format!("{}{path}", serve().await);
    let request = reqwest::Client::new()
        .get(url)
        .header(REQUEST_ID_HEADER, "r-1");
    let response = request.send().await.unwrap();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let retry_after = response
        .headers()
        .get("retry-after")
        .map(|value| value.to_str().unwrap().to_owned());
    (
        response.status().as_u16(),
        retry_after,
        response.json().await.unwrap(),
    )
}

#[tokio::test]
async fn a_refusal_says_what_is_wrong() {
    let (status, retry_after, body) = ask("/invalid").await;
    assert_eq!((status, retry_after), (422, None));
    assert_eq!(
        body,
        json!({
            "type": "/problems/validation_failed",
            "title": "The request is not acceptable",
            "status": 422,
            "code": "validation_failed",
            "detail": "1 field is wrong",
            "request_id": "r-1",
            "errors": [{"field": "/agent", "message": "must not be empty"}],
        })
    );
    let (status, _, body) = ask("/unknown").await;
    assert_eq!((status, &body["known_agents"]), (422, &json!(["writer"])));
}

#[tokio::test]
async fn a_fault_of_ours_tells_no_detail() {
    let (status, _, body) = ask("/broken").await;
    assert_eq!((status, &body["code"]), (500, &json!("internal")));
    assert!(!body.to_string().contains("hunter2"), "{body}");
    assert_eq!(body["request_id"], "r-1");
}

#[tokio::test]
async fn retry_after_in_whole_seconds() {
    let (status, retry_after, _) = ask("/down").await;
    assert_eq!((status, retry_after.as_deref()), (503, Some("1")));
    let (status, retry_after, _) = ask("/full").await;
    assert_eq!((status, retry_after.as_deref()), (429, Some("2")));
}

#[tokio::test]
async fn without_a_request_id_there_is_none() {
    let url = format!("{}/down", serve().await);
    let body: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(body.get("request_id"), None);
}
