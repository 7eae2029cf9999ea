//! The gateway from a listener to the end of its drain.
//!
//! Called by `main` and by `factorial dev`, and by tests on port 0.

use factorial_core::Store;
use factorial_rest::{Access, AppState, Tls, describe_metrics, router, serve};
use factorial_service::{Shutdown, config::GatewayConfig};
use tokio::net::TcpListener;

/// Connections that idle between two requests, on top of those that requests and streams need.
const IDLE_CONNECTIONS: usize = 1024;

/// Serves until `shutdown`. At `drain` no connection is accepted any more, event streams end with a comment that says
/// where to go on, and open requests may go on for the grace period; at `now` everything ends.
pub async fn run(
    listener: TcpListener,
    store: Store,
    config: &GatewayConfig,
    access: Access,
    tls: Option<Tls>,
    shutdown: &Shutdown,
) {
    describe_metrics();
    let app = AppState::new(store, config, access, shutdown.drain.clone());
    let max_connections = config
        .max_concurrent_requests
        .saturating_add(config.max_event_streams)
        .saturating_add(IDLE_CONNECTIONS)
        .min(tokio::sync::Semaphore::MAX_PERMITS);
    let serving = serve(
        listener,
        tls,
        router(&app),
        max_connections,
        config.grace_period_seconds,
        shutdown,
    );
    tokio::select! {
        () = serving => {}
        () = app.refresh() => {}
    }
    tokio::select! {
        () = app.sockets_closed() => {}
        () = shutdown.now.cancelled() => {}
    }
    app.close().await;
}
