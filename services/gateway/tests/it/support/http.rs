//! Requests and answers as they are on the wire.

use factorial_api::Event;
use futures::StreamExt;
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Gateway, PATIENCE};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self {
            status,
            headers,
            body,
        };
        answer.check_problem();
        answer
    }

    /// Whatever is refused is refused with a whole problem document.
    fn check_problem(&self) {
        assert!(self.headers.contains_key("x-request-id"), "{self:?}");
        if self.status >= 400 && self.body["service"].is_null() {
            assert_eq!(
                self.headers["content-type"], "application/problem+json",
                "{self:?}"
            );
            assert_eq!(self.body["status"], self.status, "{self:?}");
            assert_eq!(
                self.body["request_id"],
                self.headers["x-request-id"].to_str().unwrap()
            );
            assert!(
                self.body["code"].is_string() && self.body["title"].is_string(),
                "{self:?}"
            );
        }
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or("")
    }

    /// The names of the wrong fields.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn id(&self) -> &str {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id: {self:?}"))
    }
}

impl Gateway {
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn post_bytes(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/json");
        self.send(request.body(body)).await
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    /// Sends a request that is answered when something has happened; gives the status.
    pub(crate) fn send_later(
        &self,
        request: reqwest::RequestBuilder,
    ) -> impl Future<Output = u16> + use<> {
        async move { request.send().await.unwrap().status().as_u16() }
    }

    /// Submits a task of `writer` with some changes; gives its id.
    pub(crate) async fn submit(&self, changes: &Value) -> String {
        let answer = self.post("/v1/tasks", &submission(changes)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.id().to_owned()
    }

    /// Opens an event stream.
    pub(crate) async fn stream(&self, id: &str, after: u64) -> Frames {
        let path = format!("/v1/tasks/{id}/events?starting_after={after}");
        let request = self
            .request(Method::GET, &path)
            .header("accept", "text/event-stream");
        Frames::of(request.send().await.unwrap()).await
    }
}

pub(crate) fn submission(changes: &Value) -> Value {
    let mut body = json!({"agent": "writer", "owner_id": "o1", "query": "q"});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A frame of an event stream.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    Event(Event),
    Comment(String),
    Other(String),
}

/// An open event stream.
pub(crate) struct Frames {
    bytes: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Frames {
    pub(crate) async fn of(response: Response) -> Self {
        if response.status() != 200 {
            panic!("{}: {}", response.status(), response.text().await.unwrap());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let bytes = response.bytes_stream().boxed();
        Self {
            bytes,
            text: String::new(),
        }
    }

    /// Whether it goes on.
    pub(crate) async fn more(&mut self) -> bool {
        timeout(PATIENCE, self.bytes.next())
            .await
            .unwrap()
            .is_some()
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = parse(frame);
                self.text = rest.to_owned();
                return Some(frame);
            }
            let part = timeout(PATIENCE, self.bytes.next())
                .await
                .unwrap()?
                .unwrap();
            self.text.push_str(std::str::from_utf8(&part).unwrap());
        }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        loop {
            if let Frame::Event(event) = self.next().await? {
                return Some(event);
            }
        }
    }

    /// `seq` of all events up to the end.
    pub(crate) async fn seqs(mut self) -> Vec<u64> {
        let mut seqs = Vec::new();
        while let Some(event) = self.event().await {
            seqs.push(event.seq);
        }
        seqs
    }
}

fn parse(frame: &str) -> Frame {
    if let Some(comment) = frame.strip_prefix(": ") {
        return Frame::Comment(comment.to_owned());
    }
    let lines: Vec<_> = frame.split('\n').collect();
    let [id, name, data] = lines[..] else {
        return Frame::Other(frame.to_owned());
    };
    let event: Event = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(id, format!("id: {}", event.seq));
    assert_eq!(name, format!("event: {}", event.event_type));
    Frame::Event(event)
}

/// Sends bytes as they are and gives the status of the answer.
pub(crate) async fn raw(gateway: &Gateway, bytes: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut head = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut head))
        .await
        .unwrap()
        .unwrap();
    std::str::from_utf8(&head[9..]).unwrap().parse().unwrap()
}
