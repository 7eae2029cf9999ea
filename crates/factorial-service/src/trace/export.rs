//! Spans on their way to a collector: OTLP over HTTP, in batches, beside everything else.
//!
//! Started by each `main` when an endpoint is configured. Invariants: whoever hands spans over never waits; what does not fit is
//! dropped and counted; spans that were handed over together travel together, so that none arrives without its parent.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use metrics::counter;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{InstrumentationScope, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span as ProtoSpan},
};
use percent_encoding::percent_decode_str;
use prost::Message as _;
use secrecy::ExposeSecret as _;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{Span, semconv, span::attribute};
use crate::{config::TelemetryConfig, metrics::TRACE_SPANS_TOTAL};

/// Spans that wait to be sent.
const MOST_WAITING: usize = 16_384;
/// Spans of a request, but for a unit that is larger.
const MOST_TOGETHER: usize = 512;
/// How long spans wait for others.
const GATHER: Duration = Duration::from_millis(100);
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Before each try; after the last one the spans are lost.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];
/// How long the end of the process waits for the last spans.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// Why there can be no traces.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The endpoint is not an HTTP URL.
    #[error("telemetry.otlp_endpoint must be an http or https URL")]
    Endpoint,
    /// The headers are not `name=value,…`.
    #[error("telemetry.otlp_headers must be name=value, separated by commas")]
    Headers,
    /// There is no HTTP client.
    #[error("cannot make an HTTP client for traces")]
    Client(#[from] reqwest::Error),
}

/// Takes spans; clones are the same.
#[derive(Clone, Debug)]
pub struct Tracer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    units: mpsc::UnboundedSender<Vec<Span>>,
    waiting: Arc<AtomicUsize>,
    ratio: f64,
    capture_content: bool,
}

impl Tracer {
    /// Hands spans over that belong together. Never waits.
    pub fn export(&self, unit: Vec<Span>) {
        let count = unit.len();
        let waiting = self.0.waiting.fetch_add(count, Ordering::Relaxed);
        if waiting + count > MOST_WAITING || self.0.units.send(unit).is_err() {
            self.0.waiting.fetch_sub(count, Ordering::Relaxed);
            counter!(TRACE_SPANS_TOTAL, "outcome" => "dropped").increment(count as u64);
        }
    }

    /// Part of the traces that begin here that are recorded.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.0.ratio
    }

    /// What models and tools say goes into spans.
    #[must_use]
    pub fn captures_content(&self) -> bool {
        self.0.capture_content
    }
}

/// Sends spans until it is flushed.
#[derive(Debug, Default)]
pub struct Exporter(Option<(CancellationToken, JoinHandle<()>)>);

impl Exporter {
    /// Sends what was handed over before, and ends; waits no longer than 3 s.
    pub async fn flush(self) {
        let Some((stop, task)) = self.0 else { return };
        stop.cancel();
        if timeout(FLUSH_WITHIN, task).await.is_err() {
            tracing::warn!("the last spans were not sent");
        }
    }
}

// One for the process, like the recorder of metrics and the log.
static TRACER: OnceLock<Tracer> = OnceLock::new();

/// Where spans of this process go; `None` when there is no collector.
#[must_use]
pub fn tracer() -> Option<&'static Tracer> {
    TRACER.get()
}

/// Begins to export, if there is an endpoint. Whoever comes later in the same process changes nothing.
///
/// # Errors
/// When the endpoint or the headers are malformed.
pub fn start(config: &TelemetryConfig, service: &'static str) -> Result<Exporter, TraceError> {
    let Some(base) = config.otlp_endpoint.as_ref().filter(|_| tracer().is_none()) else {
        return Ok(Exporter::default());
    };
    if !matches!(base.scheme(), "http" | "https") {
        return Err(TraceError::Endpoint);
    }
    let endpoint = format!("{}/v1/traces", base.as_str().trim_end_matches('/'));
    let given = config.otlp_headers.as_ref().map(|h| h.expose_secret());
    let client = reqwest::Client::builder()
        .timeout(REQUEST_TIMEOUT)
        .default_headers(headers(given.unwrap_or_default())?)
        .build()?;
    let (units, received) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let text = |text: &str| Value::StringValue(text.to_owned());
    let sender = Sender {
        client,
        endpoint,
        resource: Resource {
            attributes: vec![
                attribute(semconv::SERVICE_NAME, text(service)),
                attribute(semconv::SERVICE_VERSION, text(env!("CARGO_PKG_VERSION"))),
                attribute(semconv::SERVICE_INSTANCE, text(&instance())),
            ],
            ..Resource::default()
        },
        waiting: Arc::clone(&waiting),
        stop: stop.clone(),
    };
    let tracer = Tracer(Arc::new(Inner {
        units,
        waiting,
        ratio: config.trace_ratio,
        capture_content: config.capture_content,
    }));
    if TRACER.set(tracer).is_err() {
        return Ok(Exporter::default());
    }
    tracing::info!(service, "traces are exported");
    let task = tokio::spawn(sender.run(received));
    Ok(Exporter(Some((stop, task))))
}

/// Tells processes of a service apart.
fn instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}-{}", host.trim(), std::process::id())
}

fn headers(given: &str) -> Result<HeaderMap, TraceError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    for pair in given.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(TraceError::Headers)?;
        let value = percent_decode_str(value.trim()).collect::<Vec<u8>>();
        let name = HeaderName::try_from(name.trim()).map_err(|_| TraceError::Headers)?;
        let mut value = HeaderValue::try_from(value).map_err(|_| TraceError::Headers)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

struct Sender {
    client: reqwest::Client,
    endpoint: String,
    resource: Resource,
    waiting: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Sender {
    async fn run(self, mut units: mpsc::UnboundedReceiver<Vec<Span>>) {
        loop {
            let first = tokio::select! {
                biased;
                unit = units.recv() => unit,
                () = self.stop.cancelled() => None,
            };
            let Some(first) = first else { return };
            let mut batch = first;
            let until = Instant::now() + GATHER;
            while batch.len() < MOST_TOGETHER {
                let next = tokio::select! {
                    biased;
                    unit = timeout_at(until, units.recv()) => unit.ok().flatten(),
                    () = self.stop.cancelled() => units.try_recv().ok(),
                };
                let Some(unit) = next else { break };
                batch.extend(unit);
            }
            let count = batch.len();
            let outcome = if self.send(batch).await {
                "exported"
            } else {
                "failed"
            };
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            counter!(TRACE_SPANS_TOTAL, "outcome" => outcome).increment(count as u64);
        }
    }

    /// Whether the collector has taken them.
    async fn send(&self, batch: Vec<Span>) -> bool {
        let body = self.request(batch.into_iter().map(|span| span.0).collect());
        for pause in PAUSES {
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled(), if !pause.is_zero() => break,
            }
            let sent = self
                .client
                .post(&self.endpoint)
                .body(body.clone())
                .send()
                .await;
            match sent.map(|response| response.status()) {
                Ok(status) if status.is_success() => return true,
                Ok(status) if !is_passing(status) => {
                    tracing::warn!(status = status.as_u16(), "collector refuses spans");
                    return false;
                }
                Ok(status) => tracing::debug!(status = status.as_u16(), "spans not taken"),
                Err(error) => {
                    let error = error.without_url();
                    tracing::debug!(%error, "spans not sent");
                }
            }
        }
        tracing::warn!("collector does not answer, spans are lost");
        false
    }

    fn request(&self, spans: Vec<ProtoSpan>) -> Vec<u8> {
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(InstrumentationScope {
                        name: "factorial".to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                        ..InstrumentationScope::default()
                    }),
                    spans,
                    schema_url: semconv::SCHEMA_URL.to_owned(),
                }],
                schema_url: semconv::SCHEMA_URL.to_owned(),
            }],
        }
        .encode_to_vec()
    }
}

/// The statuses after which OTLP lets one try again.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}
