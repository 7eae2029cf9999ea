//! Tools over HTTP, in the test: they record what they were asked for, and the test decides what they answer.

use std::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    extract::{Path, State},
    http::HeaderMap,
    routing::post,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// One call that arrived.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// Which tool.
    pub tool: String,
    /// The `idempotency-key` header: `<task id>/<call id>`.
    pub key: String,
    /// The `traceparent` header.
    pub trace: String,
    /// How many calls with this key came before.
    pub earlier: usize,
    /// When.
    pub at: Instant,
}

impl ToolCall {
    /// The task that made it.
    #[must_use]
    pub fn task(&self) -> &str {
        self.key.split('/').next().unwrap_or_default()
    }
}

type Answer = Pin<Box<dyn Future<Output = String> + Send>>;

struct Shared {
    calls: Mutex<Vec<ToolCall>>,
    answer: Box<dyn Fn(ToolCall) -> Answer + Send + Sync>,
}

/// A server of tools. Dropping it ends it.
pub struct ToolServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl ToolServer {
    /// Starts on a free port; `answer` makes the result of each call.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(ToolCall) -> A + Send + Sync + 'static,
        A: Future<Output = String> + Send + 'static,
    {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answer = Box::new(move |call| -> Answer { Box::pin(answer(call)) });
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            answer,
        });
        let app = Router::new()
            .route("/{tool}", post(call))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, app)
                .await
                .expect("the tools are served")
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// The tool as an agent file names it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Value {
        json!({
            "kind": "http", "name": name, "description": "Is tested.", "method": "POST",
            "url": format!("http://{}/{name}", self.address),
            "parameters": { "type": "object", "properties": {}, "additionalProperties": false },
        })
    }

    /// The calls so far, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<ToolCall> {
        self.shared
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for ToolServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path(tool): Path<String>,
    headers: HeaderMap,
) -> String {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (key, trace) = (header("idempotency-key"), header("traceparent"));
    let call = {
        let mut calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = calls.iter().filter(|c| c.key == key).count();
        let call = ToolCall {
            tool,
            key,
            trace,
            earlier,
            at: Instant::now(),
        };
        calls.push(call.clone());
        call
    };
    (shared.answer)(call).await
}
