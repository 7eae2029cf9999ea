//! A small OTLP collector, and what a trace looks like to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value,
    trace::v1::Span as ProtoSpan,
};
use prost::Message as _;
use tokio::{net::TcpListener, task::JoinHandle};

/// A span that arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty of a root.
    pub(super) parent: String,
    pub(super) links: Vec<String>,
    /// How long it took, ns.
    pub(super) took: u64,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) failed: bool,
}

/// Takes spans on a free port. Dropping it ends it.
pub(super) struct Collector {
    pub(super) url: String,
    spans: Arc<Mutex<Vec<Arrived>>>,
    task: JoinHandle<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::default();
        let app = Router::new()
            .route("/v1/traces", post(take))
            .with_state(Arc::clone(&spans));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, spans, task }
    }

    /// All that arrived so far.
    pub(super) fn spans(&self) -> Vec<Arrived> {
        let spans = self.spans.lock();
        spans.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(State(spans): State<Arc<Mutex<Vec<Arrived>>>>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut kept = spans.lock().unwrap_or_else(PoisonError::into_inner);
    for of_resource in request.resource_spans {
        let resource = of_resource.resource.unwrap_or_default();
        let mut service = String::new();
        for attribute in resource.attributes {
            if attribute.key == "service.name" {
                service = text(attribute.value.and_then(|v| v.value));
            }
        }
        let of_scopes = of_resource.scope_spans.into_iter();
        let read = of_scopes.flat_map(|scope| scope.spans);
        kept.extend(read.map(|span| arrived(&service, span)));
    }
    StatusCode::OK
}

fn arrived(service: &str, span: ProtoSpan) -> Arrived {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let attributes = span.attributes.into_iter();
    Arrived {
        service: service.to_owned(),
        name: span.name,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
        took: span.end_time_unix_nano - span.start_time_unix_nano,
        attributes: attributes
            .map(|a| (a.key, text(a.value.and_then(|v| v.value))))
            .collect(),
        failed: span.status.is_some_and(|status| status.code == 2),
    }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// The spans whose parent is neither among them nor `outside`.
pub(super) fn orphans(spans: &[Arrived], outside: &str) -> Vec<Arrived> {
    let known: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let orphan = |span: &&Arrived| span.parent != outside && !known.contains(span.parent.as_str());
    spans.iter().filter(orphan).cloned().collect()
}

/// The trace as a tree of names, for people.
pub(super) fn tree(spans: &[Arrived], root: &str) -> String {
    fn below(spans: &[Arrived], parent: &str, depth: usize, text: &mut String) {
        for span in spans.iter().filter(|span| span.parent == parent) {
            let mark = if span.failed { " !" } else { "" };
            let line = format!(
                "{}{} [{}]{mark}\n",
                "  ".repeat(depth),
                span.name,
                span.service
            );
            text.push_str(&line);
            below(spans, &span.id, depth + 1, text);
        }
    }
    let mut text = String::new();
    below(spans, root, 0, &mut text);
    text
}
