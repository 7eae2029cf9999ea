//! Bounded concurrency: a request beyond the limit is refused at once, before anything of it is read.
//!
//! Wraps all routes under `/v1`. Invariant: a request holds one permit from its head to the head of its answer, unless
//! its handler exchanges it for a permit to wait.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use factorial_service::{ApiError, ErrorKind};
use metrics::Gauge;
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    app::AppState,
    metrics::{REQUESTS_IN_PROGRESS, REQUESTS_SHED_TOTAL},
};

/// The permit of a request, where its handler can give it back early.
#[derive(Clone)]
pub(crate) struct Slot(Arc<Mutex<Option<Held>>>);

impl Slot {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        let held = Held::new(permit, metrics::gauge!(REQUESTS_IN_PROGRESS));
        Self(Arc::new(Mutex::new(Some(held))))
    }

    /// Gives the permit back.
    pub(crate) fn release(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A permit, and the gauge that counts it.
struct Held {
    _permit: OwnedSemaphorePermit,
    gauge: Gauge,
}

impl Held {
    fn new(permit: OwnedSemaphorePermit, gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self {
            _permit: permit,
            gauge,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
    }
}

/// The permit of a stream or a long poll, for as long as it is open.
pub(crate) struct WaitGuard(#[expect(dead_code, reason = "held for its drop")] Held);

impl WaitGuard {
    pub(crate) fn new(permit: OwnedSemaphorePermit, gauge: Gauge) -> Self {
        Self(Held::new(permit, gauge))
    }
}

/// Refuses what is beyond the limit.
pub(crate) async fn bound(
    State(app): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let Ok(permit) = Arc::clone(&app.requests).try_acquire_owned() else {
        metrics::counter!(REQUESTS_SHED_TOTAL, "budget" => "requests").increment(1);
        return ApiError::new(ErrorKind::Overloaded).into_response();
    };
    let slot = Slot::new(permit);
    request.extensions_mut().insert(slot.clone());
    let response = next.run(request).await;
    slot.release();
    response
}
