//! One session with a server.
//!
//! Opened by the supervisor, used by the calls of all tasks at once.

use std::{sync::Arc, time::Duration};

use rmcp::{
    ClientHandler, RoleClient, ServiceExt,
    model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, Tool},
    service::{NotificationContext, Peer, RunningService},
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use tokio::sync::Notify;

use super::{connection::Connection, http::Client, process::Process, result::described};
use crate::HttpClients;

/// Pages of a list that are read.
const MAX_PAGES: usize = 100;
/// Tools of a server that are looked at.
const MAX_TOOLS: usize = 1000;
/// How long a page may take.
const PAGE_WITHIN: Duration = Duration::from_secs(30);
/// Calls that are under way at once in a session over HTTP; others wait.
const CALLS_AT_ONCE: usize = 1024;

/// What a server may tell by itself.
pub(super) struct Listener {
    changed: Arc<Notify>,
}

impl ClientHandler for Listener {
    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("factorial", env!("CARGO_PKG_VERSION")),
        )
    }
}

/// An open session.
pub(super) struct Opened {
    pub(super) service: RunningService<RoleClient, Listener>,
    pub(super) process: Option<Process>,
}

/// Opens a session. `changed` is notified when the server says that its tools have changed.
///
/// # Errors
/// Why not, in words without secrets.
pub(super) async fn open(
    connection: &Connection,
    clients: &HttpClients,
    changed: Arc<Notify>,
) -> Result<Opened, String> {
    let listener = Listener { changed };
    match connection {
        Connection::Http { url, headers } => {
            let client = Client(clients.to(url).clone());
            let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                .custom_headers(headers.clone())
                .max_concurrent_requests(CALLS_AT_ONCE)
                // A new session may have other tools, which are to be listed.
                .reinit_on_expired_session(false);
            let transport = StreamableHttpClientTransport::with_client(client, config);
            let service = listener.serve(transport).await;
            Ok(Opened {
                service: service.map_err(|error| described(&error))?,
                process: None,
            })
        }
        Connection::Process { program, args, env } => {
            let (process, pipes) = Process::start(program, args, env)
                .map_err(|error| format!("cannot start {program}: {error}"))?;
            let service = listener.serve(pipes).await;
            Ok(Opened {
                service: service.map_err(|error| described(&error))?,
                process: Some(process),
            })
        }
    }
}

/// All tools of a server, page by page.
///
/// # Errors
/// Why not, in words.
pub(super) async fn tools(peer: &Peer<RoleClient>) -> Result<Vec<Tool>, String> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page = tokio::time::timeout(PAGE_WITHIN, peer.list_tools(Some(params)));
        let page = page
            .await
            .map_err(|_| format!("no list of tools within {} s", PAGE_WITHIN.as_secs()))?
            .map_err(|error| format!("cannot list the tools: {}", described(&error)))?;
        tools.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() || tools.len() >= MAX_TOOLS {
            break;
        }
    }
    if cursor.is_some() || tools.len() > MAX_TOOLS {
        tracing::warn!(
            most = MAX_TOOLS,
            "an mcp server has more tools than are looked at"
        );
    }
    tools.truncate(MAX_TOOLS);
    Ok(tools)
}
