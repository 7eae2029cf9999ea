//! Names, times and logs every request.
//!
//! The outermost layer. Invariant: one log line (at debug when it went well) and one count for each request, also for one whose client has left.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use factorial_service::REQUEST_ID_HEADER;
use http::{HeaderMap, HeaderValue, Method};
use tracing::{Instrument, field::Empty};

use crate::{
    app::AppState,
    layers::trace::RequestTrace,
    metrics::{REQUEST_DURATION_SECONDS, REQUESTS_TOTAL},
};

/// Longest id that is taken over from a client.
const LONGEST_ID: usize = 128;

/// Gives the request an id, or keeps a sound one that it has, and says what became of it.
pub(crate) async fn observe(
    State(app): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| new_id(&app));
    request.headers_mut().insert(REQUEST_ID_HEADER, id.clone());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        request.id = id.to_str().unwrap_or_default(),
        trace.id = Empty
    );
    let trace = RequestTrace::begin(&app, &mut request);
    if let Some(trace) = &trace {
        span.record("trace.id", trace.id());
    }
    let outcome = Outcome {
        id: id.clone(),
        trace,
        method: method_label(request.method()),
        route,
        started: Instant::now(),
        status: None,
        span: span.clone(),
    };
    let mut response = next.run(request).instrument(span).await;
    outcome.with_status(response.status().as_u16());
    response.headers_mut().insert(REQUEST_ID_HEADER, id);
    response
}

/// Reported when it is dropped: without a status when the client left before there was one.
struct Outcome {
    id: HeaderValue,
    trace: Option<RequestTrace>,
    method: &'static str,
    route: String,
    started: Instant,
    status: Option<u16>,
    span: tracing::Span,
}

impl Outcome {
    fn with_status(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let route = std::mem::take(&mut self.route);
        let duration_ms = took.as_secs_f64() * 1000.0;
        let _entered = self.span.enter();
        if let Some(trace) = self.trace.take() {
            trace.end(self.method, &route, self.status, &self.id);
        }
        let status = match self.status {
            // What went well is counted below; at info it would cost more than many requests do.
            Some(status) if status < 400 => {
                tracing::debug!(
                    method = self.method,
                    route,
                    status,
                    duration_ms,
                    "request answered"
                );
                status.to_string()
            }
            Some(status) => {
                tracing::info!(
                    method = self.method,
                    route,
                    status,
                    duration_ms,
                    "request answered"
                );
                status.to_string()
            }
            None => {
                tracing::info!(
                    method = self.method,
                    route,
                    duration_ms,
                    "request abandoned"
                );
                "abandoned".to_owned()
            }
        };
        metrics::histogram!(REQUEST_DURATION_SECONDS, "method" => self.method, "route" => route.clone())
            .record(took.as_secs_f64());
        metrics::counter!(REQUESTS_TOTAL, "method" => self.method, "route" => route, "status" => status)
            .increment(1);
    }
}

/// The client's own id, when it is one that can be written into a log.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID_HEADER)?;
    let sound =
        !id.is_empty() && id.len() <= LONGEST_ID && id.as_bytes().iter().all(u8::is_ascii_graphic);
    sound.then(|| id.clone())
}

fn new_id(app: &AppState) -> HeaderValue {
    let id = app.clock.unique().to_string().to_ascii_lowercase();
    HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

/// Methods are made up freely by clients; labels are not.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
