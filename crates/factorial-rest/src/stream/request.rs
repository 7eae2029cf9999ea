//! What a reader of events asks for, and the answer as a stream.
//!
//! Used by the handlers that give events as a page or as a stream.

use axum::response::{IntoResponse, Response};
use factorial_service::ApiError;
use http::{HeaderMap, StatusCode, header};

use super::{follow::Follow, log::Log, socket, source::Source, sse::sse, upgrade::Upgrade};
use crate::{
    app::AppState,
    extract::{Params, within},
    layers::Slot,
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
        let resumed = if wants_stream(headers) {
            last_seq(headers)?
        } else {
            None
        };
        Ok(Self {
            after: resumed.or(after).unwrap_or(0),
            limit: limit.unwrap_or(USUAL),
            live: wants_stream(headers),
        })
    }

    /// The answer that streams a log.
    ///
    /// # Errors
    /// When the store does not answer, or as many streams are open as may be.
    pub(crate) async fn stream(
        &self,
        app: &AppState,
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
        stream(app, slot, upgrade, source, self.after.to_string())
    }
}

/// The answer that streams a source, over a socket if the client wants one. `after`: where it begins.
///
/// # Errors
/// When as many streams are open as may be.
pub(crate) fn stream(
    app: &AppState,
    slot: &Slot,
    upgrade: Upgrade,
    source: Source,
    after: String,
) -> Result<Response, ApiError> {
    let wait = app.wait(slot, "stream")?;
    let (keep_alive, drain) = (app.keep_alive, app.drain.clone());
    Ok(match upgrade.accept() {
        Some(upgrade) => {
            let sockets = app.sockets.clone();
            upgrade.on_upgrade(move |socket| {
                sockets.track_future(socket::serve(socket, source, keep_alive, drain, wait))
            })
        }
        None => sse(source, after, keep_alive, drain, wait),
    })
}

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
