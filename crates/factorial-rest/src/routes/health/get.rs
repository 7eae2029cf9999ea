//! `GET /`

use axum::{Json, extract::State};
use factorial_api::Health;
use http::StatusCode;

use crate::app::AppState;

/// Says whether the gateway is well.
///
/// `degraded`, with status 503, when Redis does not answer.
#[utoipa::path(
    get, path = "/", tag = "service", operation_id = "get_health",
    responses(
        (status = 200, description = "All is well", body = Health),
        (status = 503, description = "Redis does not answer", body = Health),
    ),
)]
pub(crate) async fn get_health(State(app): State<AppState>) -> (StatusCode, Json<Health>) {
    let (code, status) = match app.store.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::warn!(%error, "health is degraded");
            (StatusCode::SERVICE_UNAVAILABLE, "degraded")
        }
    };
    let health = Health {
        status: status.to_owned(),
        service: "factorial-gateway".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (code, Json(health))
}
