//! What a reader of events asks for, and the answer as a stream.
//!
//! Used by the handlers that give events as a page or as a stream.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use factorial_service::ApiError;
use http::{HeaderMap, StatusCode, header};
use tokio_util::sync::CancellationToken;

use super::{follow::Follow, log::Log, socket, source::Source, sse::sse, upgrade::Upgrade};
use crate::{
    access::Caller,
    app::AppState,
    extract::{Params, within},
    layers::{Slot, WaitGuard},
    refusal::{invalid, store_error},
};

const MOST: u64 = 1000;
const USUAL: u64 = 100;
/// The largest whole number that every JSON reader takes.
const LARGEST_SEQ: u64 = (1 << 53) - 1;
const LAST_EVENT_ID: &str = "last-event-id";

/// From where on, and in which form.
pub(crate) struct EventsRequest {
    /// `seq` of the last event that was read.
    pub(crate) after: u64,
    /// Most events of a page.
    pub(crate) limit: u64,
    /// As a stream of server-sent events, or over a socket.
    pub(crate) live: bool,
}

impl EventsRequest {
    /// Takes the parameters; the caller takes its own and finishes them.
    ///
    /// # Errors
    /// When `Last-Event-ID` is none.
    pub(crate) fn take(headers: &HeaderMap, params: &mut Params) -> Result<Self, ApiError> {
        let after = params.take("starting_after", within(0..=LARGEST_SEQ));
        let limit = params.take("limit", within(1..=MOST));
        let live = wants_stream(headers);
        let resumed = last_seq(headers)?.filter(|_| live);
        Ok(Self {
            after: resumed.or(after).unwrap_or(0),
            limit: limit.unwrap_or(USUAL),
            live,
        })
    }

    /// The answer that streams a log.
    ///
    /// # Errors
    /// When the store does not answer, or as many streams are open as may be.
    pub(crate) async fn stream(
        &self,
        app: &AppState,
        caller: &Caller,
        slot: &Slot,
        upgrade: Upgrade,
        log: Log,
    ) -> Result<Response, ApiError> {
        if log.had_ended() && !upgrade.is_wanted() {
            let (left, _) = log
                .events(&app.store, self.after, 1)
                .await
                .map_err(store_error)?;
            if left.is_empty() {
                // To a browser's `EventSource`, this says not to come back.
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
        let follow = Follow::new(app.store.clone(), log, self.after);
        let source = Source::Log(Box::new(follow));
        stream(app, caller, slot, upgrade, source, self.after.to_string())
    }
}

/// The answer that streams a source, over a socket if the client wants one. `after`: where it begins.
///
/// # Errors
/// When as many streams are open as may be.
pub(crate) fn stream(
    app: &AppState,
    caller: &Caller,
    slot: &Slot,
    upgrade: Upgrade,
    source: Source,
    after: String,
) -> Result<Response, ApiError> {
    let wait = app.wait(slot, "stream")?;
    let terms = Terms {
        keep_alive: app.keep_alive,
        drain: app.drain.clone(),
        caller: caller.clone(),
        _wait: wait,
    };
    Ok(match upgrade.accept() {
        Some(upgrade) => {
            let sockets = app.sockets.clone();
            upgrade.on_upgrade(move |socket| {
                sockets.track_future(socket::serve(socket, source, terms))
            })
        }
        None => sse(source, after, terms),
    })
}

/// How long a stream may go on, and how it is kept alive.
pub(super) struct Terms {
    pub(super) keep_alive: Duration,
    pub(super) drain: CancellationToken,
    /// It ends with the key.
    pub(super) caller: Caller,
    pub(super) _wait: WaitGuard,
}

/// What is said to the reader whose key has ended.
pub(super) const KEY_ENDED: &str = "the key was revoked or has expired";

/// A client asked for server-sent events.
pub(crate) fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains("text/event-stream"))
}

/// The id that a client resumes a stream with.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty())?;
    // What is no text is no id either.
    Some(id.to_str().unwrap_or("?"))
}

fn last_seq(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let seq = last_event_id(headers)
        .map(within(0..=LARGEST_SEQ))
        .transpose();
    seq.map_err(|_| invalid("Last-Event-ID", "is not the id of an event"))
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use axum::extract::FromRequestParts as _;
    use futures::FutureExt as _;

    #[test]
    fn fuzz_resumption() {
        // Query, then the header.
        let seeds = [
            "starting_after=17&limit=5\n",
            "limit=1000\n9007199254740991",
            "starting_after=%31\n0",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            let (query, id) = text.split_once('\n').unwrap_or((text, ""));
            let request = http::Request::builder().uri(format!("/v1/events?{query}"));
            let request = request
                .header(LAST_EVENT_ID, id)
                .header(header::ACCEPT, "text/event-stream");
            // A server takes no other requests.
            let Ok(request) = request.body(()) else {
                return;
            };
            let (mut head, ()) = request.into_parts();
            let params = Params::from_request_parts(&mut head, &()).now_or_never();
            if let Some(Ok(mut params)) = params
                && let Ok(asked) = EventsRequest::take(&head.headers, &mut params)
            {
                assert!(
                    asked.after <= LARGEST_SEQ && (1..=MOST).contains(&asked.limit) && asked.live
                );
                assert!(id.is_empty() || id.parse() == Ok(asked.after));
            }
        });
    }
}
