//! A server that answers what a test tells it to, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use factorial_client::{Client, ClientBuilder, RetryPolicy};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) type Answer = Box<dyn FnOnce() -> Response + Send>;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

#[derive(Clone, Default)]
struct Script(Arc<Mutex<(VecDeque<Answer>, Vec<Asked>)>>);

pub(crate) struct Server {
    pub(crate) url: String,
    script: Script,
}

/// A server that gives these answers, one after the other, and then only 500.
pub(crate) async fn server(answers: impl IntoIterator<Item = Answer>) -> Server {
    let script = Script::default();
    script.0.lock().unwrap().0.extend(answers);
    let app = Router::new().fallback(answer).with_state(script.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Server { url, script }
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().clone();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut script = script.0.lock().unwrap();
    script.1.push(Asked {
        line,
        headers,
        body,
    });
    let next = script.0.pop_front();
    next.map_or_else(
        || StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |answer| answer(),
    )
}

impl Server {
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.script.0.lock().unwrap().1.clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let retry = RetryPolicy {
            first: Duration::from_millis(2),
            ..RetryPolicy::default()
        };
        Client::builder(&self.url).retry(retry)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

pub(crate) fn ok(body: Value) -> Answer {
    Box::new(move || axum::Json(body).into_response())
}

pub(crate) fn status(status: u16) -> Answer {
    Box::new(move || StatusCode::from_u16(status).unwrap().into_response())
}

/// A problem document, perhaps with `Retry-After`.
pub(crate) fn problem(status: u16, code: &'static str, retry_after: Option<u64>) -> Answer {
    Box::new(move || {
        let body = json!({"type": "x", "title": "No", "status": status, "code": code});
        let status = StatusCode::from_u16(status).unwrap();
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        response
    })
}

/// A body that begins with these parts and then breaks.
pub(crate) fn broken(parts: Vec<String>) -> Answer {
    Box::new(move || {
        let parts = parts.into_iter().map(|part| Ok(Bytes::from(part)));
        let end = stream::once(async {
            // While a body has nothing to give, what it gave is sent.
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        });
        Body::from_stream(stream::iter(parts).chain(end)).into_response()
    })
}

/// A body that begins with these parts and then stays open in silence.
pub(crate) fn silent(parts: Vec<String>) -> Answer {
    Box::new(move || {
        let parts = parts
            .into_iter()
            .map(|part| Ok::<_, std::io::Error>(Bytes::from(part)));
        Body::from_stream(stream::iter(parts).chain(stream::pending())).into_response()
    })
}

/// A body that is these parts.
pub(crate) fn whole(parts: Vec<String>) -> Answer {
    Box::new(move || parts.concat().into_response())
}

pub(crate) fn task() -> Value {
    json!({
        "id": "0-x", "agent": "a", "owner_id": "o", "status": "queued", "priority": 5,
        "created_at": "2026-01-31T09:30:00.125Z", "conversation_id": "0-x", "turns": 0, "attempts": 0, "retries": 0,
        "recoveries": 0, "hand_backs": 0, "pending_steering": 0, "tool_calls": 0, "stream": false,
        "usage": {"input_tokens": 0, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0},
    })
}

/// A frame of an event stream.
pub(crate) fn frame(seq: u64, event_type: &str) -> String {
    let event = json!({
        "seq": seq, "event_type": event_type, "at": "2026-01-31T09:30:00.125Z", "task_id": "0-x", "owner_id": "o",
        "agent": "a", "turn": 0, "attempt": 0, "data": {},
    });
    format!("id: {seq}\nevent: {event_type}\ndata: {event}\n\n")
}
