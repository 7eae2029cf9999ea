//! A model server whose first reply asks for given calls, and whose next one tells what they gave.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, http::header, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// A call of the model: id, tool, arguments.
pub(crate) type Asks = (&'static str, &'static str, Value);

pub(crate) struct Planner {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Drop for Planner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Planner {
    pub(crate) async fn start(asks: Vec<Asks>) -> Self {
        let requests: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let handler = move |Json(request): Json<Value>| {
            let reply = reply(&asks, &request);
            seen.lock().unwrap().push(request);
            async move { ([(header::CONTENT_TYPE, "text/event-stream")], reply).into_response() }
        };
        let app = Router::new().route("/v1/chat/completions", post(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            requests,
            task,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The bodies of all requests.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

/// The calls, unless there are results: then `id=result`, a line each.
fn reply(asks: &[Asks], request: &Value) -> String {
    let messages = request["messages"].as_array().unwrap();
    let results: Vec<String> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| {
            let text = message["content"].as_str().unwrap_or_default();
            format!("{}={text}", message["tool_call_id"].as_str().unwrap())
        })
        .collect();
    let (delta, reason) = if results.is_empty() {
        let call = |(index, (id, name, args)): (usize, &Asks)| {
            let function = json!({"name": name, "arguments": args.to_string()});
            json!({"index": index, "id": id, "type": "function", "function": function})
        };
        let calls: Vec<Value> = asks.iter().enumerate().map(call).collect();
        (json!({"tool_calls": calls}), "tool_calls")
    } else {
        (json!({"content": results.join("\n")}), "stop")
    };
    let chunk =
        json!({"id": "r", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}
