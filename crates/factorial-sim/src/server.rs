//! Accepting connections, and the handle that tests hold.
//!
//! Invariant: when the server stops, its connections are dropped at once, as those of a provider that dies.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::behaviour::Behaviour;
use crate::config::SimConfig;
use crate::http::router;
use crate::state::{RequestRecord, Shared, Stats};

/// Connections that wait to be accepted; the system has a limit of its own (4,096 on Linux unless set otherwise).
const BACKLOG: u32 = 16_384;

/// A listener on this address. Its queue has room for thousands that connect at once, as the network in front of a
/// provider has: whoever finds it full tries again only after a second.
///
/// # Errors
/// When the address cannot be bound.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` is cancelled; open connections are dropped then.
///
/// # Errors
/// When the listener's address cannot be read. Failures of single connections are not errors of the server.
pub async fn serve(
    listener: TcpListener,
    config: SimConfig,
    shutdown: CancellationToken,
) -> io::Result<()> {
    listener.local_addr()?;
    run(listener, Shared::new(config), shutdown).await;
    Ok(())
}

async fn run(listener: TcpListener, shared: Arc<Shared>, shutdown: CancellationToken) {
    let service = TowerToHyperService::new(router(shared));
    let connections = TaskTracker::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                let service = service.clone();
                let shutdown = shutdown.clone();
                connections.spawn(async move {
                    shutdown
                        .run_until_cancelled(converse(stream, service))
                        .await;
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely; trying again at once would only spin.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn converse(stream: TcpStream, service: TowerToHyperService<axum::Router>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay refused");
    }
    let connection = http1::Builder::new()
        // Pooled connections of clients stay open for as long as they like.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    // Clients that go away and connections that are broken on purpose both end here.
    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection ended");
    }
}

/// A server in the background of the current runtime. Dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    shared: Arc<Shared>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Sim {
    /// Starts a server on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(config: SimConfig) -> io::Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), config).await
    }

    /// Starts a server on this address, for instance where another one stopped.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_at(address: SocketAddr, config: SimConfig) -> io::Result<Self> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        let shared = Shared::new(config);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(listener, Arc::clone(&shared), shutdown.clone()));
        Ok(Self {
            address,
            shared,
            shutdown,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL for OpenAI clients, `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// The last requests, oldest first, as many as [`SimConfig::history`] says.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.requests()
    }

    /// Replaces the installed behaviours by this one.
    pub fn behave(&self, behaviour: Behaviour) {
        self.behave_all(vec![behaviour]);
    }

    /// Replaces the installed behaviours. For each request the first is used that applies and has requests left.
    pub fn behave_all(&self, behaviours: Vec<Behaviour>) {
        self.shared.install(behaviours);
    }

    /// Forgets behaviours, counters and requests.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops, and returns when the port is free and every connection is closed.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "simulated model panicked");
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
