//! Servers that the agents of a process share.

use std::{
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use rmcp::{RoleClient, model::Tool, service::Peer};
use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{connection::Connection, supervise::supervise};
use crate::HttpClients;

/// The sessions of a process: agents that name the same server share one.
#[derive(Clone, Default)]
pub struct McpServers {
    servers: Arc<Mutex<Vec<Weak<Server>>>>,
}

impl fmt::Debug for McpServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpServers").finish_non_exhaustive()
    }
}

impl McpServers {
    /// The server behind a connection; a new one is connected to at once where there is a runtime, else when it is used.
    pub(super) fn get(&self, connection: Connection, clients: &HttpClients) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|server| server.strong_count() > 0);
        let known = servers.iter().filter_map(Weak::upgrade);
        let server = known
            .into_iter()
            .find(|server| server.shared.connection.is_same(&connection))
            .unwrap_or_else(|| {
                let server = Arc::new(Server::new(connection, clients.clone()));
                servers.push(Arc::downgrade(&server));
                server
            });
        drop(servers);
        server.start();
        server
    }
}

/// Whether there is a session.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// It is being made, for the first time or after it broke.
    Connecting,
    /// There is one.
    Up(Session),
    /// It could not be made, for this reason; it is tried again.
    Down(String),
}

/// A session as calls use it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) peer: Peer<RoleClient>,
    /// Grows from session to session.
    pub(super) number: u64,
}

/// What is known of a server.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The tools as they were listed last.
    pub(super) tools: Arc<Vec<Tool>>,
}

/// What the supervisor and the calls share.
pub(super) struct Shared {
    pub(super) connection: Connection,
    pub(super) clients: HttpClients,
    pub(super) state: watch::Sender<State>,
    /// The server says that its tools have changed.
    pub(super) changed: Arc<Notify>,
    /// A call has found the session broken.
    pub(super) broken: Notify,
}

/// One server; its session ends when nobody has this any more.
pub(super) struct Server {
    shared: Arc<Shared>,
    supervisor: OnceLock<DropGuard>,
}

impl Server {
    fn new(connection: Connection, clients: HttpClients) -> Self {
        let state = State {
            phase: Phase::Connecting,
            tools: Arc::default(),
        };
        Self {
            shared: Arc::new(Shared {
                connection,
                clients,
                state: watch::Sender::new(state),
                changed: Arc::default(),
                broken: Notify::new(),
            }),
            supervisor: OnceLock::new(),
        }
    }

    /// Starts to connect, once, where there is a runtime.
    pub(super) fn start(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        self.supervisor.get_or_init(|| {
            let stop = CancellationToken::new();
            runtime.spawn(supervise(Arc::clone(&self.shared), stop.clone()));
            stop.drop_guard()
        });
    }

    /// The tools of the open session, which is waited for while it is being made.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn tools(&self) -> Result<Arc<Vec<Tool>>, String> {
        self.start();
        let mut state = self.shared.state.subscribe();
        let settled = state
            .wait_for(|state| !matches!(state.phase, Phase::Connecting))
            .await;
        match settled {
            Ok(state) => match &state.phase {
                Phase::Down(why) => Err(why.clone()),
                Phase::Up(_) | Phase::Connecting => Ok(Arc::clone(&state.tools)),
            },
            Err(_) => Err("stopped".to_owned()),
        }
    }

    /// The tools as they were listed last.
    pub(super) fn known_tools(&self) -> Arc<Vec<Tool>> {
        Arc::clone(&self.shared.state.borrow().tools)
    }

    /// The session, which is waited for.
    ///
    /// # Errors
    /// When there will not be any more.
    pub(super) async fn session(&self) -> Result<Session, String> {
        self.start();
        let mut state = self.shared.state.subscribe();
        loop {
            if let Phase::Up(session) = &state.borrow_and_update().phase {
                return Ok(session.clone());
            }
            if state.changed().await.is_err() {
                return Err("stopped".to_owned());
            }
        }
    }

    /// Says that a session does not work any more, so that the next call gets another one.
    pub(super) fn broken(&self, number: u64) {
        let hit = self.shared.state.send_if_modified(|state| {
            let hit = matches!(&state.phase, Phase::Up(session) if session.number == number);
            if hit {
                state.phase = Phase::Connecting;
            }
            hit
        });
        if hit {
            self.shared.broken.notify_one();
        }
    }
}
