//! HTTP tools against a real server.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, Uri},
    response::Redirect,
    routing::{any, get},
};
use factorial_agent::{
    HttpClients, HttpMethod, HttpTool, HttpToolDefinition, Providers, Tool, ToolContext, ToolError,
    ToolErrorKind, ToolOutput,
};
use secrecy::SecretString;
use serde_json::{Value, json};

async fn server() -> String {
    let echo = |uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let header = |name: &str| {
            headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let seen = json!({
            "uri": uri.to_string(),
            "key": header("idempotency-key"),
            "auth": header("authorization"),
            "body": String::from_utf8_lossy(&body),
        });
        seen.to_string()
    };
    let app =
        Router::new()
            .route("/echo/{*rest}", any(echo))
            .route(
                "/status/{code}",
                get(|Path(code): Path<u16>| async move {
                    (StatusCode::from_u16(code).unwrap(), "why not")
                }),
            )
            .route(
                "/moved",
                get(|| async { Redirect::temporary("/echo/elsewhere") }),
            )
            .route(
                "/bytes",
                get(|| async { Bytes::from_static(b"caf\xe9 \xf0\x9f") }),
            )
            .route("/huge", get(|| async { vec![b'x'; 3 << 20] }))
            .route(
                "/endless",
                get(|| async {
                    Body::from_stream(futures::stream::repeat_with(|| {
                        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 8192]))
                    }))
                }),
            )
            .route(
                "/query",
                get(|RawQuery(query): RawQuery| async { query.unwrap_or_default() }),
            );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

fn tool(method: HttpMethod, url: &str) -> HttpTool {
    let definition = HttpToolDefinition {
        parameters: json!({"type": "object"}),
        method,
        headers: BTreeMap::from([("authorization".to_owned(), "Bearer ${TOKEN}".to_owned())]),
        at_most_once: true,
        ..HttpToolDefinition::new("call", url)
    };
    let keys = |name: &str| (name == "TOKEN").then(|| SecretString::from("t0ken"));
    let providers = Providers {
        keys: Arc::new(keys),
        ..Providers::default()
    };
    HttpTool::new(&definition, &providers, &HttpClients::new().unwrap()).unwrap()
}

async fn call(method: HttpMethod, url: &str, args: Value) -> Result<ToolOutput, ToolError> {
    let ctx = ToolContext {
        task_id: "t".into(),
        call_id: "c".into(),
        idempotency_key: "t/c".into(),
        agent: "a".into(),
        owner: "o".into(),
        turn: 1,
        context: Value::Null,
        callback_url: None,
        trace: None,
    };
    tool(method, url).call(&ctx, args).await
}

#[tokio::test]
async fn arguments_become_path_query_and_body() {
    let base = server().await;
    let output = call(
        HttpMethod::Post,
        &format!("{base}/echo/u/{{id}}?v={{v}}"),
        json!({"id": "a/b?c", "v": 2, "rest": [1]}),
    )
    .await
    .unwrap();
    let seen: Value = serde_json::from_str(&output.content).unwrap();
    assert_eq!(
        seen,
        json!({"uri": "/echo/u/a%2Fb%3Fc?v=2", "key": "t/c", "auth": "Bearer t0ken", "body": "{\"rest\":[1]}"})
    );
    let args = json!({"q": "a b&c", "tags": ["x", 1], "deep": {"k": true}, "none": null});
    let query = call(HttpMethod::Get, &format!("{base}/query?fixed=1"), args)
        .await
        .unwrap()
        .content;
    assert_eq!(
        query,
        "fixed=1&q=a+b%26c&tags=x&tags=1&deep=%7B%22k%22%3Atrue%7D"
    );
    let missing = call(HttpMethod::Get, &format!("{base}/echo/{{id}}"), json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (missing.kind, missing.message.as_str()),
        (ToolErrorKind::InvalidArguments, "argument `id` is missing")
    );
}

#[tokio::test]
async fn failures_are_told_to_the_model() {
    let base = server().await;
    let error = call(HttpMethod::Get, &format!("{base}/status/418"), json!({}))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ToolErrorKind::HttpStatus, "HTTP 418 I'm a teapot: why not")
    );
    let error = call(HttpMethod::Get, &format!("{base}/moved"), json!({}))
        .await
        .unwrap_err();
    assert!(
        error.kind == ToolErrorKind::HttpStatus && error.message.starts_with("HTTP 307"),
        "redirects are not followed: {error:?}"
    );
    let error = call(HttpMethod::Get, "http://127.0.0.1:1/", json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ToolErrorKind::Network);
}

#[tokio::test]
async fn bodies_are_bounded_and_lossy() {
    let base = server().await;
    assert_eq!(
        call(HttpMethod::Get, &format!("{base}/bytes"), json!({}))
            .await
            .unwrap()
            .content,
        "caf\u{fffd} \u{fffd}"
    );
    for path in ["huge", "endless"] {
        let error = call(HttpMethod::Get, &format!("{base}/{path}"), json!({}))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (
                ToolErrorKind::TooLarge,
                "the response is larger than 1048576 bytes"
            )
        );
    }
}
