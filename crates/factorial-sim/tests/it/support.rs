//! A server per test, and the client calls that the tests share.

use std::time::{Duration, Instant};

use factorial_sim::{Behaviour, Sim, SimConfig};
use reqwest::{Client, Response};
use serde_json::{Value, json};

pub(crate) struct Harness {
    pub(crate) sim: Sim,
    pub(crate) http: Client,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(SimConfig::default()).await
    }

    pub(crate) async fn with(config: SimConfig) -> Self {
        Self {
            sim: Sim::start(config).await.unwrap(),
            http: Client::new(),
        }
    }

    pub(crate) async fn faulty(behaviour: Behaviour) -> Self {
        let harness = Self::start().await;
        harness.sim.behave(behaviour);
        harness
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/chat/completions", self.sim.base_url())
    }

    pub(crate) fn admin(&self, call: &str) -> String {
        format!("http://{}/admin/{call}", self.sim.address())
    }

    pub(crate) async fn post(&self, body: &Value) -> Response {
        self.http.post(self.url()).json(body).send().await.unwrap()
    }

    /// The reply to a request that must succeed.
    pub(crate) async fn chat(&self, body: &Value) -> Value {
        let response = self.post(body).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// The text of a stream that must end well.
    pub(crate) async fn stream_text(&self, body: &Value) -> String {
        let response = self.post(&streamed(body)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.text().await.unwrap()
    }

    /// Polls until the condition holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Sim) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds(&self.sim) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.sim.stats());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub(crate) fn ask(text: &str) -> Value {
    json!({"model": "gpt-test", "messages": [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": text}]})
}

pub(crate) fn weather() -> Value {
    tool(
        "get_weather",
        &json!({"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}),
    )
}

pub(crate) fn tool(name: &str, parameters: &Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters}})
}

pub(crate) fn ask_with_tool(text: &str) -> Value {
    with(ask(text), "tools", json!([weather()]))
}

pub(crate) fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

pub(crate) fn streamed(body: &Value) -> Value {
    let body = with(body.clone(), "stream", true.into());
    with(body, "stream_options", json!({"include_usage": true}))
}

/// The conversation after the reply's tool calls have been answered.
pub(crate) fn answered(mut body: Value, reply: &Value, result: &str) -> Value {
    let message = reply["choices"][0]["message"].clone();
    let calls = message["tool_calls"].as_array().unwrap().clone();
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(message);
    for call in calls {
        messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": result}));
    }
    body
}

/// The JSON events of a stream that ends with `[DONE]`.
pub(crate) fn events(stream: &str) -> Vec<Value> {
    let stream = stream.strip_suffix("data: [DONE]\n\n").unwrap();
    stream
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

/// Joins the deltas of a stream into what an unstreamed reply says.
pub(crate) fn joined(events: &[Value]) -> Value {
    let mut message = json!({"role": null, "content": null, "refusal": null});
    let mut finish = Value::Null;
    for choice in events.iter().filter_map(|event| event["choices"].get(0)) {
        let delta = &choice["delta"];
        if let Some(role) = delta.get("role") {
            message["role"] = role.clone();
        }
        for field in ["content", "refusal"] {
            if let Some(piece) = delta.get(field).and_then(Value::as_str) {
                let said = message[field].as_str().unwrap_or_default().to_owned();
                message[field] = (said + piece).into();
            }
        }
        for call in delta
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if message.get("tool_calls").is_none() {
                message["tool_calls"] = json!([]);
            }
            let calls = message["tool_calls"].as_array_mut().unwrap();
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                let mut head = call.clone();
                head.as_object_mut().unwrap().remove("index");
                calls.push(head);
            } else {
                let all = &mut calls[index]["function"]["arguments"];
                let piece = call["function"]["arguments"].as_str().unwrap();
                *all = (all.as_str().unwrap().to_owned() + piece).into();
            }
        }
        if !choice["finish_reason"].is_null() {
            finish = choice["finish_reason"].clone();
        }
    }
    json!({"message": message, "finish_reason": finish})
}

pub(crate) fn text(reply: &Value) -> &str {
    reply["choices"][0]["message"]["content"].as_str().unwrap()
}

pub(crate) fn call_names(reply: &Value) -> Vec<&str> {
    let calls = reply["choices"][0]["message"]["tool_calls"].as_array();
    calls
        .into_iter()
        .flatten()
        .map(|call| call["function"]["name"].as_str().unwrap())
        .collect()
}

pub(crate) fn arguments(reply: &Value) -> &str {
    reply["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .unwrap()
}
