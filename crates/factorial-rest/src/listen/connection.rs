//! One connection, from its first request to its end.

use std::{pin::pin, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::stall::StallGuard;
use crate::access::Peer;

/// How long the head of a request may take, and how long an idle connection is kept: longer than the proxies that
/// keep theirs for 60 s, so that a proxy never sends into a connection that is being closed.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// How long nothing that is sent may leave.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// Most bytes of a head, and of what waits to be sent.
const BUFFER_BYTES: usize = 64 * 1024;

/// Serves requests until the client leaves, or until `drain` and the end of the open request.
pub(super) async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    drain: &CancellationToken,
) {
    let io = TokioIo::new(StallGuard::new(stream, READ_WITHIN));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER_BYTES);
    let connection = {
        let service = router.map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            request.map(Body::new)
        });
        builder.serve_connection(io, TowerToHyperService::new(service))
    };
    // What becomes a WebSocket goes on by itself, and ends by itself at the drain.
    let mut connection = pin!(connection.with_upgrades());
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "connection ended");
    }
}
