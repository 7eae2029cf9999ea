//! The span of a request.
//!
//! Made by `observe`. Invariant: what is done for the request finds its place in the trace among the request's extensions.

use axum::extract::Request;
use factorial_service::trace::{Kind, Span, SpanId, TraceContext, Tracer, semconv, tracer};
use http::HeaderValue;
use tokio::time::Instant;

use crate::{app::AppState, extract::trace_parent};

/// Of a request that is under way.
pub(super) struct RequestTrace {
    tracer: &'static Tracer,
    /// Where the request is; without a parent, where it begins.
    place: TraceContext,
    is_root: bool,
    own: SpanId,
    started: Instant,
    started_ns: u64,
}

impl RequestTrace {
    /// Takes over the caller's trace or begins one. `None` when there is no collector.
    pub(super) fn begin(app: &AppState, request: &mut Request) -> Option<Self> {
        let tracer = tracer()?;
        let own = SpanId::random(app.clock.bits() as u64);
        let given = trace_parent(request.headers());
        let place =
            given.unwrap_or_else(|| TraceContext::begin(app.clock.bits(), own, tracer.ratio()));
        request.extensions_mut().insert(place.below(own));
        let now_ms = u64::try_from(app.clock.now_ms()).unwrap_or(0);
        Some(Self {
            tracer,
            place,
            is_root: given.is_none(),
            own,
            started: Instant::now(),
            started_ns: now_ms.saturating_mul(1_000_000),
        })
    }

    /// Of the trace, as logs have it.
    pub(super) fn id(&self) -> String {
        self.place.trace_id()
    }

    /// The request was answered, or its client has left.
    pub(super) fn end(
        self,
        method: &'static str,
        route: &str,
        status: Option<u16>,
        id: &HeaderValue,
    ) {
        if !self.place.is_sampled() {
            return;
        }
        let took = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let name = format!("{method} {route}");
        let span = Span::new(self.place, self.own, self.is_root, name, Kind::Server)
            .during(self.started_ns, self.started_ns.saturating_add(took))
            .text(semconv::HTTP_METHOD, method)
            .text(semconv::HTTP_ROUTE, route)
            .text(semconv::REQUEST_ID, id.to_str().unwrap_or_default());
        let span = match status {
            Some(status) if status >= 500 => span
                .number(semconv::HTTP_STATUS, status.into())
                .failed(status.to_string()),
            Some(status) => span.number(semconv::HTTP_STATUS, status.into()),
            None => span.failed("abandoned"),
        };
        self.tracer.export(vec![span]);
    }
}
