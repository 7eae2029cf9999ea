//! The public port of the dashboard, from its start to its drain.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use factorial_core::Store;
use factorial_service::{ApiError, ErrorKind, Health, Shutdown};
use tokio::net::TcpListener;

use crate::options::DashboardOptions;
use crate::{health, page};

/// How long requests that are under way may hold up the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) health: Health,
    pub(crate) options: DashboardOptions,
}

/// Serves until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn run(
    listener: TcpListener,
    store: Store,
    options: DashboardOptions,
    health: &Health,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let ready = health.component("dashboard");
    let app = App(Arc::new(Shared {
        store,
        health: health.clone(),
        options,
    }));
    let drain = shutdown.drain.clone();
    let server =
        axum::serve(listener, router(app)).with_graceful_shutdown(drain.clone().cancelled_owned());
    ready.ready(true);
    let closed = async {
        drain.cancelled().await;
        ready.ready(false);
        tokio::select! {
            () = shutdown.now.cancelled() => {}
            () = tokio::time::sleep(CLOSE_TIMEOUT) => {}
        }
    };
    tokio::select! {
        result = server.into_future() => result,
        () = closed => Ok(()),
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/", get(health::document))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/observability", get(page::observability))
        .route("/observability/style.css", get(page::style))
        .fallback(async || ApiError::new(ErrorKind::RouteNotFound).into_response())
        .method_not_allowed_fallback(async || {
            ApiError::new(ErrorKind::MethodNotAllowed).into_response()
        })
        .with_state(app)
}
