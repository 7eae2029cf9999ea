//! The trace that a request belongs to.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use factorial_service::trace::TraceContext;
use http::{HeaderMap, request::Parts};

const HEADER: &str = "traceparent";

/// Its place in the trace as a `traceparent`: below the span of the request, or, when no spans are made here, as the caller
/// has sent it.
pub(crate) struct TraceParent(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for TraceParent {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let place = parts.extensions.get::<TraceContext>().copied();
        let place = place.or_else(|| trace_parent(&parts.headers));
        Ok(Self(place.map(|place| place.to_string())))
    }
}

/// The caller's trace context, if it has sent one.
pub(crate) fn trace_parent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all(HEADER).iter();
    let one = given.next().filter(|_| given.next().is_none())?;
    one.to_str().ok()?.parse().ok()
}
