//! The loop that keeps the session with a server.
//!
//! One task per server, as long as somebody has the server. Invariant: at most one session is open.

use std::{sync::Arc, time::Duration};

use rmcp::{
    RoleClient, ServiceError,
    model::{ClientRequest, PingRequest},
    service::Peer,
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    server::{Phase, Session, Shared},
    session::{self, Opened},
};
use crate::RetryPolicy;

/// How long opening a session and listing its tools may take: a command may have to be downloaded first.
const OPENS_WITHIN: Duration = Duration::from_secs(60);
/// How long closing it may take.
const CLOSES_WITHIN: Duration = Duration::from_secs(3);
/// How often the server is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to say so.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A session that broke earlier counts as a failure to open one.
const STEADY_AFTER: Duration = Duration::from_secs(10);
/// Delays between attempts. Their whole bound is used: there is one client per worker, and jitter would only delay it.
const BACKOFF: RetryPolicy = RetryPolicy {
    max_retries: u32::MAX,
    base: Duration::from_millis(500),
    cap: Duration::from_secs(30),
};

/// Opens sessions until `stop`.
pub(super) async fn supervise(shared: Arc<Shared>, stop: CancellationToken) {
    let (mut failures, mut number) = (0_u32, 0_u64);
    let server = shared.connection.to_string();
    loop {
        number += 1;
        let opening = timeout(OPENS_WITHIN, open(&shared, number));
        let opened = match stop.run_until_cancelled(opening).await {
            None => return,
            Some(opened) => opened
                .unwrap_or_else(|_| Err(format!("no session within {} s", OPENS_WITHIN.as_secs()))),
        };
        match opened {
            Ok((opened, tools)) => {
                tracing::info!(mcp.server = server, tools, "connected to an mcp server");
                let since = Instant::now();
                let stopped = keep(&shared, opened, number, &stop).await;
                if stopped {
                    return;
                }
                tracing::warn!(mcp.server = server, "the session with an mcp server broke");
                if since.elapsed() >= STEADY_AFTER {
                    failures = 0;
                    continue;
                }
            }
            Err(why) => {
                tracing::warn!(
                    mcp.server = server,
                    error = why,
                    failures,
                    "cannot connect to an mcp server; tasks of agents that need it will fail and be retried"
                );
                shared
                    .state
                    .send_modify(|state| state.phase = Phase::Down(why));
            }
        }
        let delay = BACKOFF.delay(failures, None, 1.0);
        failures = failures.saturating_add(1);
        if stop
            .run_until_cancelled(tokio::time::sleep(delay))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// A session that calls can use, and the number of its tools.
async fn open(shared: &Shared, number: u64) -> Result<(Opened, usize), String> {
    let changed = Arc::clone(&shared.changed);
    let opened = session::open(&shared.connection, &shared.clients, changed).await?;
    let peer = opened.service.peer().clone();
    let tools = session::tools(&peer).await?;
    let count = tools.len();
    shared.state.send_modify(|state| {
        state.phase = Phase::Up(Session { peer, number });
        state.tools = Arc::new(tools);
    });
    Ok((opened, count))
}

/// Keeps a session until it breaks, or until `stop`, which it tells.
async fn keep(shared: &Shared, opened: Opened, number: u64, stop: &CancellationToken) -> bool {
    let Opened { service, process } = opened;
    let peer = service.peer().clone();
    let close = service.cancellation_token();
    let mut ended = std::pin::pin!(service.waiting());
    let mut pings = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut over = false;
    let stopped = loop {
        tokio::select! {
            () = stop.cancelled() => break true,
            _ = &mut ended => {
                over = true;
                break false;
            }
            () = shared.broken.notified() => {
                // It may be what a call has said of the session before.
                let up = matches!(&shared.state.borrow().phase, Phase::Up(session) if session.number == number);
                if !up {
                    break false;
                }
            }
            () = shared.changed.notified() => match session::tools(&peer).await {
                Ok(tools) => {
                    tracing::info!(mcp.server = %shared.connection, tools = tools.len(), "the tools of an mcp server have changed");
                    shared.state.send_modify(|state| state.tools = Arc::new(tools));
                }
                Err(_) => break false,
            },
            _ = pings.tick() => {
                if !answers(&peer).await {
                    break false;
                }
            }
        }
    };
    shared
        .state
        .send_modify(|state| state.phase = Phase::Connecting);
    close.cancel();
    if !over {
        let _ = timeout(CLOSES_WITHIN, ended).await;
    }
    if let Some(process) = process {
        process.stop().await;
    }
    stopped
}

/// Whether the server is there.
async fn answers(peer: &Peer<RoleClient>) -> bool {
    let ping = peer.send_request(ClientRequest::PingRequest(PingRequest::default()));
    match timeout(PONG_WITHIN, ping).await {
        // An error is an answer, too.
        Ok(Ok(_) | Err(ServiceError::McpError(_))) => true,
        Ok(Err(_)) | Err(_) => false,
    }
}
