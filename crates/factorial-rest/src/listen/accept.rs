//! Accepts connections until the drain, then lets open ones end.
//!
//! Called by `run`. Invariants: no more connections than allowed are open; when it returns, none is.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use factorial_service::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{connection::serve_connection, tls::Tls};
use crate::access::Peer;
use crate::metrics::{CONNECTIONS_OPEN, REQUESTS_SHED_TOTAL};

/// After a failure that is not the connection's own, for example no file descriptors left.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How long the handshake of TLS may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// To those beyond the limit of connections, without reading what they ask.
const TOO_MANY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 123\r\n\r\n\
    {\"type\":\"/problems/overloaded\",\"title\":\"Too many requests at once\",\"status\":503,\"code\":\"overloaded\",\
    \"detail\":\"connections\"}";

/// Serves until `shutdown`: at `drain` nothing new is accepted and open requests may go on for `grace`; at `now` all end.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    max_connections: usize,
    grace: Duration,
    shutdown: &Shutdown,
) {
    // Of this listener alone: others in the process may have a longer grace period.
    let stop = shutdown.now.child_token();
    let connections = TaskTracker::new();
    let door = Door {
        router,
        tls: tls.clone(),
        permits: Arc::new(Semaphore::new(max_connections)),
        connections: connections.clone(),
        drain: shutdown.drain.clone(),
        stop: stop.clone(),
    };
    let mut following = pin!(async move {
        match tls {
            Some(tls) => tls.follow().await,
            None => std::future::pending().await,
        }
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut following => break,
            () = shutdown.drain.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => door.start(stream, address),
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop(listener);
    connections.close();
    let open = connections.len();
    let ended = tokio::select! {
        ended = timeout(grace, connections.wait()) => ended.is_ok(),
        () = shutdown.now.cancelled() => false,
    };
    if !ended {
        tracing::warn!(open, "connections cut at the end of the grace period");
        stop.cancel();
        connections.wait().await;
    }
}

/// What a connection is served with.
struct Door {
    router: Router,
    tls: Option<Tls>,
    permits: Arc<Semaphore>,
    connections: TaskTracker,
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Door {
    fn start(&self, stream: TcpStream, address: SocketAddr) {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            metrics::counter!(REQUESTS_SHED_TOTAL, "budget" => "connections").increment(1);
            // The buffer of a fresh socket takes this at once, or the client gets nothing. Over TLS it would make no sense.
            if self.tls.is_none() {
                let _ = stream.try_write(TOO_MANY.as_bytes());
            }
            return;
        };
        let (router, drain, stop) = (self.router.clone(), self.drain.clone(), self.stop.clone());
        let tls = self.tls.clone();
        self.connections.spawn(async move {
            let _permit = permit;
            let open = metrics::gauge!(CONNECTIONS_OPEN);
            open.increment(1.0);
            stop.run_until_cancelled(serve_one(stream, address, tls, router, &drain))
                .await;
            open.decrement(1.0);
        });
    }
}

async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<Tls>,
    router: Router,
    drain: &CancellationToken,
) {
    // An event is one small segment, and must not wait for the next one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let peer = Peer {
        address,
        encrypted: tls.is_some(),
    };
    let Some(tls) = tls else {
        return serve_connection(stream, peer, router, drain).await;
    };
    match timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_connection(stream, peer, router, drain).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS"),
        Err(_) => tracing::debug!("TLS handshake not in time"),
    }
}

/// The client has gone before it was accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let (head, body) = TOO_MANY.split_once("\r\n\r\n").expect("a head");
        let length = format!("content-length: {}", body.len());
        assert!(head.contains(&length), "{length}");
        assert!(serde_json::from_str::<factorial_api::Problem>(body).is_ok());
    }
}
