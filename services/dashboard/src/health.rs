//! Health of the dashboard, on its public port.
//!
//! Asked by people, load balancers and container health checks. Invariant: `/livez` and `/readyz` never ask Redis.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use factorial_api::Health;
use serde_json::json;
use tokio::time::Instant;

use crate::app::App;

/// `GET /`: what this is, and whether Redis answers.
pub(crate) async fn document(State(app): State<App>) -> Response {
    let (code, status) = match app.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(%error, "redis does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "degraded")
        }
    };
    let health = Health {
        status: status.to_owned(),
        service: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (code, Json(health)).into_response()
}

/// `GET /livez`.
pub(crate) async fn livez(State(app): State<App>) -> Response {
    let stalled = app
        .health
        .ages(Instant::now())
        .iter()
        .any(|age| age.stalled);
    answer(!stalled, "stalled")
}

/// `GET /readyz`.
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let ready = app
        .health
        .waiting_for()
        .is_some_and(|waiting| waiting.is_empty());
    answer(ready, "not_ready")
}

fn answer(well: bool, otherwise: &'static str) -> Response {
    if well {
        Json(json!({ "status": "ok" })).into_response()
    } else {
        let body = Json(json!({ "status": otherwise }));
        (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
    }
}
