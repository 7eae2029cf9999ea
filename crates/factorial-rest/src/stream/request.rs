//! What a reader of events asks for, and the answer as a stream.
//!
//! Used by the handlers that give events as a page or as a stream.

use axum::response::{IntoResponse, Response};
use factorial_service::ApiError;
use http::{HeaderMap, StatusCode, header};

use super::{body::sse, log::Log};
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
    /// As a stream.
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
        let resumed = if live { last_event_id(headers)? } else { None };
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
        slot: &Slot,
        log: Log,
    ) -> Result<Response, ApiError> {
        if log.had_ended() {
            let (left, _) = log
                .events(&app.store, self.after, 1)
                .await
                .map_err(store_error)?;
            if left.is_empty() {
                // To a browser's `EventSource`, this says not to come back.
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
        let wait = app.wait(slot, "stream")?;
        let (store, drain) = (app.store.clone(), app.drain.clone());
        Ok(sse(store, log, self.after, app.keep_alive, drain, wait))
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains("text/event-stream"))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let id = id
        .to_str()
        .map_err(|_| ())
        .and_then(|id| within(0..=LARGEST_SEQ)(id).map_err(|_| ()));
    id.map(Some)
        .map_err(|()| invalid("Last-Event-ID", "is not the id of an event"))
}
