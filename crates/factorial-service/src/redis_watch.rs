//! Whether this process can reach Redis, for its probes.
//!
//! Started by each role with its store. Invariants: while Redis does not answer the process is not ready, but it is alive: a
//! restart would not help, and all processes would be restarted at once. It is not alive when Redis answers a fresh
//! connection and its own ones have failed for a minute: then a restart does help.

use std::time::Duration;

use factorial_core::{ConnectError, Store, StoreOptions};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::health::{Component, Health, Progress};

/// Between two round trips, and before the next try after one that failed.
const EVERY: Duration = Duration::from_secs(1);
/// How long the connections of the process may fail while a fresh one works.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Watches until the handle is dropped.
pub fn watch_redis(store: Store, options: StoreOptions, health: &Health) -> AbortOnDropHandle<()> {
    let ready = health.component("redis");
    // The store has just been opened.
    ready.ready(true);
    let progress = health.progress("redis", STALLED_AFTER);
    AbortOnDropHandle::new(tokio::spawn(watch(store, options, ready, progress)))
}

async fn watch(store: Store, options: StoreOptions, ready: Component, progress: Progress) {
    loop {
        let answered = store.ping().await;
        ready.ready(answered.is_ok());
        match answered {
            Ok(()) => progress.tick(),
            Err(error) => {
                tracing::debug!(%error, "redis does not answer");
                if let Err(ConnectError::Redis { .. }) = Store::connect(&options).await {
                    progress.tick();
                }
            }
        }
        sleep(EVERY).await;
    }
}
