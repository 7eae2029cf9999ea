//! What all handlers share.
//!
//! Made by the services, handed to handlers as `State<AppState>`. Invariant: the two budgets are apart, so that open streams
//! and long polls never keep ordinary requests out.

use std::{ops::Deref, sync::Arc, time::Duration};

use factorial_core::{KeyNotice, Store};
use factorial_service::{ApiError, ErrorKind, config::GatewayConfig};
use http::{Extensions, HeaderMap};
use tokio::{
    sync::Semaphore,
    time::{MissedTickBehavior, interval},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access::{Access, AuditLog, Identity, Issuer, Keyring, Sessions, Who, is_encrypted},
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
    pub(crate) access: Access,
    pub(crate) keyring: Keyring,
    pub(crate) sessions: Sessions,
    pub(crate) issuer: Option<Issuer>,
    /// Whether a session stands for a key.
    pub(crate) takes_sessions: bool,
    pub(crate) audit: AuditLog,
    /// Whoever calls where nobody asks who it is.
    pub(crate) anonymous: Arc<Identity>,
    /// Whoever has the key of the settings.
    pub(crate) admin: Arc<Identity>,
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
    pub fn new(
        store: Store,
        config: &GatewayConfig,
        access: Access,
        drain: CancellationToken,
    ) -> Self {
        Self(Arc::new(App {
            keyring: Keyring::new(access.limits),
            sessions: Sessions::default(),
            issuer: access.issuer.clone().map(Issuer::new),
            takes_sessions: access.sessions,
            audit: AuditLog::new(access.audit_entries),
            anonymous: Arc::new(Identity::whole(Who::Anonymous)),
            admin: Arc::new(Identity::whole(Who::AdminKey)),
            access,
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

    /// Follows what workers announce, the clock of Redis and the keys, and writes the audit log. Never ends.
    pub async fn refresh(&self) {
        tokio::join!(
            self.look(),
            self.follow_keys(),
            self.audit.write(&self.store)
        );
    }

    /// Writes what is not written yet, when nothing more is served.
    pub async fn close(&self) {
        self.audit.close(&self.store).await;
        if let Err(error) = self.keyring.note_uses(&self.store).await {
            tracing::debug!(%error, "last uses of keys not noted");
        }
    }

    async fn follow_keys(&self) {
        if !self.access.enabled {
            return;
        }
        match self.keyring.open(&self.store).await {
            Ok(()) if self.keyring.is_empty() && self.has_no_other_way() => {
                tracing::warn!(
                    "no key may call yet: make one with `factorial keys create --redis-url`"
                );
            }
            Ok(()) => {}
            Err(error) => tracing::debug!(%error, "keys not read"),
        }
        let told = |notice: &KeyNotice| match notice {
            KeyNotice::Key(_) => {}
            KeyNotice::Session(digest) => self.sessions.end(digest),
            KeyNotice::Missed => self.sessions.doubt(),
        };
        self.keyring.follow(&self.store, told).await;
    }

    fn has_no_other_way(&self) -> bool {
        self.access.admin_key.is_none() && self.issuer.is_none()
    }

    async fn look(&self) {
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

    /// Whether a key is needed.
    #[must_use]
    pub fn needs_keys(&self) -> bool {
        self.access.enabled
    }

    /// Whether the client of a request speaks TLS, as far as is known.
    #[must_use]
    pub fn is_encrypted(&self, extensions: &Extensions, headers: &HeaderMap) -> bool {
        is_encrypted(extensions, headers, &self.access.trusted)
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
