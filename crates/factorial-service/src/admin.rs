//! The admin port of a process.
//!
//! | path | answer |
//! | --- | --- |
//! | `/livez` | 200, or 503 when a watched loop makes no progress |
//! | `/readyz` | 200, or 503 naming the components that are not ready |
//! | `/metrics` | Prometheus text |
//!
//! Started by every `main` before anything else and stopped last. Invariant: it never asks Redis, so it answers at once.

use std::io;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics::HEALTH_PROGRESS_AGE_SECONDS;

/// Histograms keep raw samples until the next upkeep or scrape.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// How long a scrape that is under way may hold up the end of the process.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Admin {
    health: Health,
    metrics: PrometheusHandle,
}

/// Serves the admin port until `shutdown` is cancelled.
///
/// # Errors
/// When the listener fails.
pub async fn run_admin(
    listener: TcpListener,
    health: Health,
    metrics: PrometheusHandle,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let app = router(health, metrics.clone());
    let server =
        axum::serve(listener, app).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let closed = async {
        shutdown.cancelled().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        result = server.into_future() => result,
        () = closed => Ok(()),
        () = upkeep(&metrics) => Ok(()),
    }
}

/// The routes of the admin port, for a process that serves them in its own way.
pub fn router(health: Health, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scrape))
        .with_state(Admin { health, metrics })
}

async fn livez(State(admin): State<Admin>) -> Response {
    let ages = admin.health.ages(Instant::now());
    if ages.iter().any(|age| age.stalled) {
        let body = json!({ "status": "stalled", "loops": ages });
        (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
    } else {
        Json(json!({ "status": "ok", "loops": ages })).into_response()
    }
}

async fn readyz(State(admin): State<Admin>) -> Response {
    match admin.health.waiting_for() {
        Some(waiting) if waiting.is_empty() => Json(json!({ "status": "ok" })).into_response(),
        waiting => {
            let body = json!({ "status": "not_ready", "waiting_for": waiting.unwrap_or_default() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn scrape(State(admin): State<Admin>) -> Response {
    for age in admin.health.ages(Instant::now()) {
        metrics::gauge!(HEALTH_PROGRESS_AGE_SECONDS, "component" => age.component)
            .set(age.age_seconds);
    }
    let headers = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, admin.metrics.render()).into_response()
}

async fn upkeep(metrics: &PrometheusHandle) {
    let mut timer = tokio::time::interval(UPKEEP_INTERVAL);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        metrics.run_upkeep();
    }
}
