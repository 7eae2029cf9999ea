//! A client that asks for a WebSocket.

use axum::{
    extract::{
        FromRequestParts,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::IntoResponse,
};
use factorial_service::ApiError;
use http::{header, request::Parts};

use crate::refusal::invalid;

/// Largest message that a client may send: it has nothing to say.
const MOST_BYTES: usize = 4096;

/// The subprotocol that is taken, where one is offered. A browser that says its key as another one offers it too.
const PROTOCOL: &str = "factorial.v1";

/// The upgrade of a request, if it asks for one.
pub(crate) struct Upgrade(Option<WebSocketUpgrade>);

impl Upgrade {
    /// The client asks for a socket.
    pub(crate) fn is_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// The upgrade, to be answered.
    pub(crate) fn accept(self) -> Option<WebSocketUpgrade> {
        self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let asked = parts
            .headers
            .get(header::UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if !asked {
            return Ok(Self(None));
        }
        let upgrade = WebSocketUpgrade::from_request_parts(parts, state).await;
        upgrade.map_or_else(
            |rejection| Err(refused(rejection)),
            |upgrade| {
                let upgrade = upgrade.max_message_size(MOST_BYTES);
                Ok(Self(Some(upgrade.protocols([PROTOCOL]))))
            },
        )
    }
}

fn refused(rejection: WebSocketUpgradeRejection) -> ApiError {
    let detail = rejection.body_text();
    tracing::debug!(detail, status = %rejection.into_response().status(), "no socket");
    invalid(
        "Upgrade",
        "is not a WebSocket handshake (RFC 6455, version 13)",
    )
}
