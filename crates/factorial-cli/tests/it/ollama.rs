//! Without a key and with a local Ollama, its model is used for all agents.

use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::support::{Dev, directory, factorial};

/// Has one model, and answers with the name of the one that is asked.
async fn fake_ollama() -> String {
    let tags = json!({ "models": [{ "name": "small:1b" }] });
    let chat = async |Json(asked): Json<Value>| {
        let chunk = |delta: Value, end: Value| {
            let choice = json!({ "index": 0, "delta": delta, "finish_reason": end });
            let chunk = json!({
                "id": "c", "object": "chat.completion.chunk", "created": 0, "model": asked["model"],
                "choices": [choice],
            });
            format!("data: {chunk}\n\n")
        };
        let text = format!("this is {}", asked["model"].as_str().unwrap());
        let said = chunk(json!({ "role": "assistant", "content": text }), Value::Null);
        let end = chunk(json!({}), json!("stop"));
        (
            [(CONTENT_TYPE, "text/event-stream")],
            format!("{said}{end}data: [DONE]\n\n"),
        )
    };
    let shown = async || Json(json!({ "capabilities": ["completion", "tools"] }));
    let app = Router::new()
        .route("/api/tags", get(async move || Json(tags)))
        .route("/api/show", post(shown))
        .route("/v1/chat/completions", post(chat));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn its_model_answers() {
    let host = fake_ollama().await;
    tokio::task::spawn_blocking(move || {
        let dir = directory();
        let mut command = factorial(dir.path());
        command.args(["dev", "--redis", "server", "--observability-enabled=false"]);
        command
            .args(["--gateway-port", "0", "--admin-port", "0"])
            .env("OLLAMA_HOST", &host);
        let dev = Dev::start_with(dir.path(), &mut command);
        let said = dev.ask(&["run", "assistant", "Who are you?"]);
        assert_eq!(
            (said.code, said.out.as_str()),
            (0, "this is small:1b\n"),
            "{said:?}"
        );
        assert!(dev.addresses["dashboard"].is_null());
        let banner = dev.stop();
        assert!(
            banner
                .out
                .contains(&format!("small:1b of the Ollama at {host}")),
            "{}",
            banner.out
        );
        assert!(!banner.out.contains("Dashboard"), "{}", banner.out);
    })
    .await
    .unwrap();
}
