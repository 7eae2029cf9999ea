//! A dashboard in this process, a Redis of its own, and a worker that is driven by hand.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use factorial_core::{
    AgentAnnouncement, AgentName, ClaimRequest, Claimed, Commit, CommitOutcome, Ending, Entry,
    EventType, Failure, Finish, FinishOutcome, NewEvent, Spent, Store, Usage, WorkerAgentSlots,
    WorkerAnnouncement, WorkerId,
};
use factorial_dashboard::{Access, DashboardOptions};
use factorial_local_redis::Listen;
use factorial_service::{Health, Shutdown};
use factorial_tests::{StoreSetup, TestRedis, TestStore};
use futures::{SinkExt, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

pub(crate) const LEASE: Duration = Duration::from_secs(60);
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Another site whose pages may call.
pub(crate) const ALLOWED: &str = "https://ops.example.com";

pub(crate) struct Dashboard {
    pub(crate) url: String,
    pub(crate) test: TestStore,
    pub(crate) shutdown: Shutdown,
    pub(crate) running: JoinHandle<()>,
    http: reqwest::Client,
    calls: AtomicU64,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// A dashboard with the agents `writer` and `reader`.
pub(crate) async fn dashboard() -> Dashboard {
    dashboard_with(1).await
}

pub(crate) async fn dashboard_with(partitions: u16) -> Dashboard {
    dashboard_after(partitions, async |_| {}).await
}

/// A dashboard that asks who calls, as `access` says.
pub(crate) async fn dashboard_for(access: Access, partitions: u16) -> Dashboard {
    dashboard_of(access, partitions, async |_| {}).await
}

/// One that starts when something has been done to its store.
pub(crate) async fn dashboard_after(partitions: u16, done: impl AsyncFnOnce(&Store)) -> Dashboard {
    dashboard_of(Access::open(), partitions, done).await
}

async fn dashboard_of(
    access: Access,
    partitions: u16,
    done: impl AsyncFnOnce(&Store),
) -> Dashboard {
    let redis =
        tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[("appendonly", "no")]));
    let setup = StoreSetup {
        redis: redis.await.unwrap(),
        partitions,
        namespace: None,
    };
    let test = TestStore::open(setup, |options| {
        options.timeout = Duration::from_millis(800);
    })
    .await;
    done(test.store()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = Shutdown::new();
    let options = DashboardOptions {
        name: "<Ops> {version}".to_owned(),
        api_docs: Some("http://127.0.0.1:8000/docs".to_owned()),
        cors_origins: vec![ALLOWED.to_owned()],
    };
    let running = tokio::spawn({
        let (store, stop) = (test.store().clone(), shutdown.clone());
        async move {
            let health = Health::new();
            factorial_dashboard::run(listener, store, options, access, None, &health, &stop)
                .await
                .unwrap();
        }
    });
    let dashboard = Dashboard {
        url,
        test,
        shutdown,
        running,
        http: reqwest::Client::new(),
        calls: AtomicU64::new(0),
    };
    dashboard.announce().await;
    dashboard
}

impl Dashboard {
    pub(crate) fn store(&self) -> &Store {
        self.test.store()
    }

    pub(crate) fn redis(&self) -> &Arc<TestRedis> {
        self.test.redis()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// What an operation answers that must succeed.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let answer = self.get(&format!("/observability/api{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }

    /// As the page does.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let path = format!("/observability/api{path}");
        let headers = [("x-factorial-dashboard", "1"), ("origin", &*self.url)];
        self.send(Method::POST, &path, &headers, Some(body)).await
    }

    pub(crate) async fn submit(&self, agent: &str, owner: &str) -> String {
        let body = json!({
            "agent": agent, "owner_id": owner, "query": "hi", "metadata": {"customer": format!("Firm of {owner}")},
        });
        let answer = self.post("/tasks", &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn announce(&self) {
        let names = ["writer", "reader"].map(|name| AgentName::new(name).unwrap());
        let agents = names.each_ref().map(|name| announcement(name.as_str()));
        let worker = worker_of(&names);
        let announced = self.store().announce(&worker, &agents, LEASE * 10).await;
        announced.unwrap();
    }

    /// What a worker gets of an agent now.
    pub(crate) async fn claim(&self, agent: &str, most: usize) -> Vec<Claimed> {
        let agent = AgentName::new(agent).unwrap();
        let mut claimed = Vec::new();
        for partition in self.store().all_partitions() {
            let request = ClaimRequest {
                partition,
                worker: &worker(),
                agent: &agent,
                most: most - claimed.len(),
                lease: LEASE,
                number: self.calls.fetch_add(1, Ordering::Relaxed) + 1,
            };
            claimed.extend(self.store().claim(request).await.unwrap());
            if claimed.len() == most {
                break;
            }
        }
        claimed
    }

    /// Commits a reply of 100 tokens in and 7 out that costs 5.
    pub(crate) async fn turn(&self, claimed: &mut Claimed, turn: u32) {
        let last = last(claimed, turn);
        let outcome = self
            .store()
            .commit(&claimed.held, &last, true, LEASE)
            .await
            .unwrap();
        let CommitOutcome::Committed(steering) = outcome else {
            panic!("{outcome:?}");
        };
        claimed.length += 1 + steering.len() as u64;
    }

    pub(crate) async fn finish(&self, claimed: &Claimed, well: bool) {
        let ending = if well {
            Ending::Completed(Some(json!("done")))
        } else {
            Ending::Failed(Failure {
                kind: "authentication".to_owned(),
                message: "no".to_owned(),
                status: Some(401),
            })
        };
        let finish = Finish {
            plain: None,
            last: Commit {
                write: 1_000_000,
                known: claimed.length,
                ..Commit::default()
            },
            ending,
            answer: None,
        };
        let outcome = self.store().finish(&claimed.held, &finish, LEASE).await;
        assert_eq!(outcome.unwrap(), FinishOutcome::Finished);
    }

    pub(crate) async fn connect(&self, origin: Option<&str>) -> Result<Socket, Box<Error>> {
        self.connect_with(origin, &[]).await
    }

    pub(crate) async fn connect_with(
        &self,
        origin: Option<&str>,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, Box<Error>> {
        let url = format!("{}/observability/ws", self.url.replace("http:", "ws:"));
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await.map_err(Box::new)?;
        Ok(Socket(socket))
    }

    pub(crate) async fn socket(&self) -> Socket {
        self.connect(Some(&self.url)).await.unwrap()
    }
}

/// What is said of an agent.
pub(crate) fn announcement(name: &str) -> AgentAnnouncement {
    AgentAnnouncement {
        name: AgentName::new(name).unwrap(),
        description: Some("writes".to_owned()),
        version: "v1".to_owned(),
        model: Some("openai/gpt".to_owned()),
        tools: vec!["calculator".to_owned()],
        approvals: BTreeMap::new(),
        context_schema: None,
        definition: Some(json!({"instructions": "Be kind."})),
        seen_ms: 0,
    }
}

/// A worker that serves these.
pub(crate) fn worker_of(agents: &[AgentName]) -> WorkerAnnouncement {
    let slots = |name: &AgentName| WorkerAgentSlots {
        name: name.clone(),
        slots: 25,
        running: 1,
    };
    WorkerAnnouncement {
        id: worker(),
        host: "host".to_owned(),
        pid: 7,
        version: "1".to_owned(),
        started_ms: 1_700_000_000_000,
        seen_ms: 0,
        draining: false,
        agents: agents.iter().map(slots).collect(),
    }
}

fn worker() -> WorkerId {
    WorkerId::new("hand-1").unwrap()
}

fn last(claimed: &Claimed, turn: u32) -> Commit {
    let nth = u64::from(turn);
    let model = "openai/gpt".to_owned();
    let usage = Usage {
        input: 100 * nth,
        output: 7 * nth,
        ..Usage::default()
    };
    let data = json!({
        "model": model, "usage": {"input_tokens": 100, "output_tokens": 7}, "cost_usd_micros": 5,
    });
    Commit {
        write: nth,
        known: claimed.length,
        entries: vec![Entry::Reply {
            turn,
            content: format!("text {turn}"),
            tool_calls: Vec::new(),
            reasoning: None,
        }],
        turns: Some(turn),
        cost_micros: Some(5 * nth),
        usage: BTreeMap::from([(model.clone(), usage)]),
        spent: Some(Spent {
            model,
            input: 100,
            output: 7,
            cost_micros: Some(5),
        }),
        events: vec![NewEvent::new(EventType::CompletionCompleted, turn, data)],
        ..Commit::default()
    }
}

/// A client of the WebSocket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: u64, topic: &str, params: Value) {
        let frame = json!({"type": "subscribe", "id": id, "topic": topic, "params": params});
        self.send(frame).await;
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next());
            let message = message.await.unwrap_or_else(|_| panic!("no frame in time"));
            match message {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next frame of a subscription that fits.
    pub(crate) async fn until(&mut self, id: u64, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|| panic!("it has ended"));
            if frame["id"] == id && fits(&frame["data"]) {
                return frame["data"].clone();
            }
        }
    }

    /// What comes within a time.
    pub(crate) async fn within(&mut self, time: Duration) -> Vec<Value> {
        let end = tokio::time::Instant::now() + time;
        let mut frames = Vec::new();
        while let Ok(Some(Ok(message))) = tokio::time::timeout_at(end, self.0.next()).await {
            if let Message::Text(text) = message {
                frames.push(serde_json::from_str(&text).unwrap());
            }
        }
        frames
    }
}
