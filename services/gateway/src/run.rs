//! The gateway from a listener to the end of its drain.
//!
//! Called by `main` and by `factorial dev`, and by tests on port 0.

use std::time::Duration;

use factorial_core::Store;
use factorial_service::{Shutdown, config::GatewayConfig};
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval},
};

use crate::{app::AppState, clock::machine_ms, listen, metrics, router::router};

/// Between two looks at the agents and the clock of Redis.
const REFRESH_EVERY: Duration = Duration::from_secs(5);
/// Connections that idle between two requests, on top of those that requests and streams need.
const IDLE_CONNECTIONS: usize = 1024;

/// Serves until `shutdown`. At `drain` no connection is accepted any more, event streams end with a comment that says
/// where to go on, and open requests may go on for the grace period; at `now` everything ends.
pub async fn run(listener: TcpListener, store: Store, config: &GatewayConfig, shutdown: &Shutdown) {
    metrics::describe();
    let app = AppState::new(store, config, shutdown.drain.clone());
    let max_connections = config
        .max_concurrent_requests
        .saturating_add(config.max_event_streams)
        .saturating_add(IDLE_CONNECTIONS)
        .min(tokio::sync::Semaphore::MAX_PERMITS);
    let serving = listen::serve(
        listener,
        router(app.clone()),
        max_connections,
        config.grace_period_seconds,
        shutdown,
    );
    tokio::select! {
        () = serving => {}
        () = refresh(&app) => {}
    }
}

/// Follows what workers announce, and the clock of Redis. Never ends.
async fn refresh(app: &AppState) {
    let mut timer = interval(REFRESH_EVERY);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let asked_ms = machine_ms();
        match app.store.now_ms().await {
            Ok(store_ms) => app.clock.learn(store_ms, asked_ms),
            Err(error) => {
                tracing::debug!(%error, "clock of the store not read");
                continue;
            }
        }
        if let Err(error) = app.agents.all(&app.store).await {
            tracing::debug!(%error, "agents not read");
        }
    }
}
