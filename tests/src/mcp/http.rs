//! A server over streamable HTTP, to be stopped and restarted.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use super::tools::{McpTools, Seen};

/// A server in a runtime of its own, so that stopping it breaks its connections. Dropping it stops it.
pub struct McpServer {
    address: SocketAddr,
    seen: Arc<Seen>,
    runtime: Option<Runtime>,
}

impl McpServer {
    /// Starts on a free port.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self {
            address,
            seen: Arc::default(),
            runtime: None,
        };
        server.restart().await;
        server
    }

    /// A port that nobody listens at, until [`Self::restart`].
    ///
    /// # Panics
    /// When no port is free.
    pub async fn away() -> Self {
        let mut server = Self::start().await;
        server.stop();
        server
    }

    /// Breaks all connections and forgets all sessions.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts again at the same address.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn restart(&mut self) {
        self.stop();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (address, seen) = (self.address, Arc::clone(&self.seen));
        let serving = runtime.spawn(async move {
            // The one before lets go of it as its runtime ends.
            let mut tries = 500;
            let listener = loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(error) => assert!(tries > 0, "{error}"),
                }
                tries -= 1;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            };
            let address = listener.local_addr().expect("an address");
            let service = StreamableHttpService::new(
                move || Ok(McpTools::new(Arc::clone(&seen))),
                Arc::new(LocalSessionManager::default()),
                StreamableHttpServerConfig::default(),
            );
            let app = Router::new().nest_service("/mcp", service);
            tokio::spawn(async move { axum::serve(listener, app).await });
            address
        });
        self.address = serving.await.expect("it serves");
        self.runtime = Some(runtime);
    }

    /// The server as an agent file names it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Value {
        json!({ "kind": "mcp", "name": name, "url": format!("http://{}/mcp", self.address) })
    }

    /// What it has seen, over all restarts.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        self.stop();
    }
}
