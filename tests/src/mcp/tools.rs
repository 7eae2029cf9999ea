//! The tools of the servers.

use std::{
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        InitializeRequestParams, InitializeResult, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

/// Tools on a page.
const PAGE: usize = 3;
/// All tools but the one that comes later.
const TOOLS: [&str; 9] = [
    "echo", "fail", "refuse", "slow", "huge", "mixed", "more", "process", "odd.name",
];

/// One call that arrived.
#[derive(Clone, Debug)]
pub struct McpCall {
    /// The tool.
    pub tool: String,
    /// `_meta` of the request.
    pub meta: Value,
    /// The `traceparent` header; empty without one.
    pub trace: String,
    /// The `idempotency-key` header; empty without one.
    pub key: String,
    /// The `authorization` header; empty without one.
    pub auth: String,
}

/// What all sessions of a server have seen.
#[derive(Default)]
pub struct Seen {
    calls: Mutex<Vec<McpCall>>,
    sessions: AtomicUsize,
    lists: AtomicUsize,
    under_way: AtomicUsize,
    cancelled: AtomicUsize,
    later: AtomicBool,
}

impl Seen {
    /// The calls, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<McpCall> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Sessions that were opened.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.sessions.load(Relaxed)
    }

    /// First pages of the list that were read.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.lists.load(Relaxed)
    }

    /// Slow calls that run.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.load(Relaxed)
    }

    /// Slow calls whose client has cancelled them.
    #[must_use]
    pub fn cancelled(&self) -> usize {
        self.cancelled.load(Relaxed)
    }
}

/// One session.
pub struct McpTools {
    seen: Arc<Seen>,
}

impl McpTools {
    /// A session of a server that has seen this.
    #[must_use]
    pub fn new(seen: Arc<Seen>) -> Self {
        Self { seen }
    }

    fn note(&self, request: &CallToolRequestParams, context: &RequestContext<RoleServer>) {
        let parts = context.extensions.get::<Parts>();
        let header = |name: &str| {
            let value = parts.and_then(|parts| parts.headers.get(name)?.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let call = McpCall {
            tool: request.name.to_string(),
            meta: serde_json::to_value(&context.meta).unwrap_or_default(),
            trace: header("traceparent"),
            key: header("idempotency-key"),
            auth: header("authorization"),
        };
        let mut calls = self
            .seen
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
    }

    /// Waits until the time is over, or the client has had enough.
    async fn slow(&self, seconds: f64, context: &RequestContext<RoleServer>) -> CallToolResult {
        self.seen.under_way.fetch_add(1, Relaxed);
        let over = tokio::select! {
            () = tokio::time::sleep(Duration::from_secs_f64(seconds)) => true,
            () = context.ct.cancelled() => false,
        };
        self.seen.under_way.fetch_sub(1, Relaxed);
        if !over {
            self.seen.cancelled.fetch_add(1, Relaxed);
        }
        text("slept")
    }

    async fn more(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        self.seen.later.store(true, Relaxed);
        let told = context.peer.notify_tool_list_changed().await;
        text(&format!("told: {}", told.is_ok()))
    }
}

fn text(text: &str) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// Its process id, that of one which it has started, and the names of its variables.
fn process() -> CallToolResult {
    let child = std::process::Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    names.sort_unstable();
    let child = child.map(|child| child.id()).unwrap_or_default();
    let told = json!({ "pid": std::process::id(), "child": child, "variables": names });
    CallToolResult::structured(told)
}

fn mixed() -> CallToolResult {
    let mut result = CallToolResult::success(vec![
        ContentBlock::text("a text"),
        ContentBlock::image("aGVsbG8=", "image/png"),
        ContentBlock::embedded_text("file:///note.txt", "of a resource"),
    ]);
    result.structured_content = Some(json!({ "answer": 42 }));
    result
}

fn schema() -> rmcp::model::JsonObject {
    let schema = json!({
        "type": "object",
        "properties": { "seconds": { "type": "number" }, "bytes": { "type": "integer" }, "text": { "type": "string" } },
        "additionalProperties": false,
    });
    schema.as_object().cloned().unwrap_or_default()
}

impl ServerHandler for McpTools {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed();
        ServerConfig::new(capabilities.build())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.seen.sessions.fetch_add(1, Relaxed);
        context.peer.set_peer_info(request);
        Ok(self.get_info())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut names = TOOLS.to_vec();
        if self.seen.later.load(Relaxed) {
            names.push("later");
        }
        let cursor = request.and_then(|request| request.cursor);
        let from = cursor.map_or(Ok(0), |cursor| cursor.parse::<usize>());
        let from = from.map_err(|_| ErrorData::invalid_params("no such page", None))?;
        if from == 0 {
            self.seen.lists.fetch_add(1, Relaxed);
        }
        let to = (from + PAGE).min(names.len());
        let tools = names[from..to].iter();
        let tools = tools.map(|name| Tool::new(*name, format!("Is {name}."), schema()));
        let mut page = ListToolsResult::with_all_items(tools.collect());
        page.next_cursor = (to < names.len()).then(|| to.to_string());
        Ok(page)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.note(&request, &context);
        let args = request.arguments.unwrap_or_default();
        let number = |name: &str| args.get(name).and_then(Value::as_f64).unwrap_or_default();
        let result = match &*request.name {
            "echo" => text(&Value::Object(args).to_string()),
            "fail" => CallToolResult::error(vec![ContentBlock::text("out of paper")]),
            "refuse" => return Err(ErrorData::invalid_params("no such printer", None)),
            "slow" => self.slow(number("seconds"), &context).await,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            "huge" => text(&"x".repeat(number("bytes") as usize)),
            "mixed" => mixed(),
            "more" => self.more(&context).await,
            "process" => process(),
            other => text(&format!("this is {other}")),
        };
        Ok(CallToolResponse::Complete(result))
    }
}
