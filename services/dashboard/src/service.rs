//! The public port of the dashboard, from its start to its drain.

use std::io;
use std::time::Duration;

use factorial_core::Store;
use factorial_rest::{Access, AppState, Tls, describe_metrics, serve};
use factorial_service::{Health, Shutdown, config::GatewayConfig};
use tokio::net::TcpListener;

use crate::{app::App, options::DashboardOptions, router::router};

/// How long requests and sockets that are open may hold up the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Open connections.
const MOST_CONNECTIONS: usize = 4096;

/// Serves until `shutdown`.
///
/// # Errors
/// When the listener is none.
pub async fn run(
    listener: TcpListener,
    store: Store,
    options: DashboardOptions,
    access: Access,
    tls: Option<Tls>,
    health: &Health,
    shutdown: &Shutdown,
) -> io::Result<()> {
    describe_metrics();
    listener.local_addr()?;
    let ready = health.component("dashboard");
    let rest = AppState::new(
        store.clone(),
        &budgets(),
        access.with_sessions(),
        shutdown.drain.clone(),
    );
    let app = App::new(store, rest, options, health, shutdown);
    ready.ready(true);
    let serving = async {
        let router = router(app.clone());
        serve(
            listener,
            tls,
            router,
            MOST_CONNECTIONS,
            CLOSE_TIMEOUT,
            shutdown,
        )
        .await;
        app.sockets.close();
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, app.sockets.wait()).await;
    };
    let draining = async {
        shutdown.drain.cancelled().await;
        ready.ready(false);
    };
    tokio::select! {
        () = async { tokio::join!(serving, draining); } => {}
        () = app.rest.refresh() => {}
        () = app.overviews.keep_up() => {}
    }
    app.rest.close().await;
    Ok(())
}

/// Bounds of the operations: people's, not programs'.
fn budgets() -> GatewayConfig {
    GatewayConfig {
        host: String::new(),
        port: 0,
        max_body_bytes: 1024 * 1024,
        max_batch_bytes: 0,
        max_batch_uploads: 1,
        max_concurrent_requests: 256,
        max_event_streams: 64,
        stream_keep_alive_seconds: Duration::from_secs(15),
        grace_period_seconds: CLOSE_TIMEOUT,
    }
}
