//! What all handlers share.
//!
//! Made by the services, handed to handlers as `State<AppState>`. Invariant: the two budgets are apart, so that open streams
//! and long polls never keep ordinary requests out.

use std::{ops::Deref, sync::Arc, time::Duration};

use factorial_core::Store;
use factorial_service::{ApiError, ErrorKind, config::GatewayConfig};
use tokio::{
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    agents::AgentDirectory,
    answers::Tokens,
    clock::{StoreClock, machine_ms},
    layers::{Slot, WaitGuard},
    metrics::{REQUESTS_SHED_TOTAL, WAITS_OPEN},
};

/// Between two looks at the agents and the clock of Redis.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// Shared by all requests of a process.
pub struct App {
    pub(crate) store: Store,
    pub(crate) agents: AgentDirectory,
    pub(crate) clock: StoreClock,
    pub(crate) tokens: Tokens,
    /// Permits for requests in progress.
    pub(crate) requests: Arc<Semaphore>,
    /// Permits for event streams and long polls.
    pub(crate) waits: Arc<Semaphore>,
    /// Permits for batches being submitted.
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_batch_bytes: u64,
    pub(crate) keep_alive: Duration,
    /// Open sockets: they outlive the connections that they came over.
    pub(crate) sockets: TaskTracker,
    /// Cancelled when nothing new is to be waited for.
    pub(crate) drain: CancellationToken,
}

/// A handle to what all requests of a process share; clones are the same.
#[derive(Clone)]
pub struct AppState(Arc<App>);

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}

impl AppState {
    /// For a process that serves until `drain`.
    #[must_use]
    pub fn new(store: Store, config: &GatewayConfig, drain: CancellationToken) -> Self {
        Self(Arc::new(App {
            store,
            agents: AgentDirectory::default(),
            clock: StoreClock::default(),
            tokens: Tokens::default(),
            requests: Arc::new(Semaphore::new(config.max_concurrent_requests)),
            waits: Arc::new(Semaphore::new(config.max_event_streams)),
            uploads: Arc::new(Semaphore::new(config.max_batch_uploads)),
            max_body_bytes: config.max_body_bytes,
            max_batch_bytes: config.max_batch_bytes,
            keep_alive: config.stream_keep_alive_seconds,
            sockets: TaskTracker::new(),
            drain,
        }))
    }

    /// Follows what workers announce, and the clock of Redis. Never ends.
    pub async fn refresh(&self) {
        let mut timer = interval(REFRESH_EVERY);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            timer.tick().await;
            let asked_ms = machine_ms();
            match self.store.now_ms().await {
                Ok(store_ms) => self.clock.learn(store_ms, asked_ms),
                Err(error) => {
                    tracing::debug!(%error, "clock of the store not read");
                    continue;
                }
            }
            if let Err(error) = self.agents.all(&self.store).await {
                tracing::debug!(%error, "agents not read");
            }
        }
    }

    /// Ends when all sockets are closed, which they are soon after `drain`.
    pub async fn sockets_closed(&self) {
        self.sockets.close();
        self.sockets.wait().await;
    }

    /// Exchanges the permit of a request for one to wait: what it does from here on is mostly nothing.
    ///
    /// # Errors
    /// `overloaded` when as many wait as may.
    pub(crate) fn wait(&self, slot: &Slot, kind: &'static str) -> Result<WaitGuard, ApiError> {
        let Ok(permit) = Arc::clone(&self.waits).try_acquire_owned() else {
            metrics::counter!(REQUESTS_SHED_TOTAL, "budget" => "waits").increment(1);
            return Err(ApiError::new(ErrorKind::Overloaded));
        };
        slot.release();
        Ok(WaitGuard::new(
            permit,
            metrics::gauge!(WAITS_OPEN, "kind" => kind),
        ))
    }
}
