//! A stream on the wire: `text/event-stream`.
//!
//! Polled by the connection only when there is room for more, so that a client who reads slowly holds up nobody.
//! Invariant: a frame is a message as a whole, and its `id` is where to go on after it.

use std::{collections::VecDeque, fmt::Write as _, pin::pin};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use tokio::time::sleep;

use super::{
    item::Item,
    request::{KEY_ENDED, Terms},
    source::Source,
};
use crate::metrics::{STREAM_EVENTS_TOTAL, STREAMS_ENDED_TOTAL};

/// How long a client should wait before it comes back.
const PREAMBLE: &[u8] = b"retry: 1000\n\n";
/// Messages are put together up to about this size.
const FRAME_BYTES: usize = 16 * 1024;

/// An open stream.
struct EventStream {
    source: Source,
    terms: Terms,
    /// Nothing was sent yet.
    fresh: bool,
    /// Messages that are next.
    waiting: VecDeque<Item>,
    /// Where the client would go on.
    sent: String,
    ended: Option<&'static str>,
}

/// The answer that streams a source.
pub(super) fn sse(source: Source, after: String, terms: Terms) -> Response {
    let stream = EventStream {
        source,
        terms,
        fresh: true,
        waiting: VecDeque::new(),
        sent: after,
        ended: None,
    };
    let frames = stream::unfold(stream, |mut stream| async move {
        let frame = stream.frame().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), stream))
    });
    let mut response = Body::from_stream(frames).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        // Reverse proxies would gather events otherwise.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl EventStream {
    /// What is sent next; `None` at the end.
    async fn frame(&mut self) -> Option<Bytes> {
        if self.ended.is_some() {
            return None;
        }
        if std::mem::take(&mut self.fresh) {
            return Some(Bytes::from_static(PREAMBLE));
        }
        if self.waiting.is_empty() {
            let quiet = pin!(sleep(self.terms.keep_alive));
            let (reason, comment) = tokio::select! {
                biased;
                () = self.terms.caller.ended() => ("key", KEY_ENDED.to_owned()),
                () = self.terms.drain.cancelled() => ("drain", "this gateway is stopping; connect again".to_owned()),
                next = self.source.next() => match next {
                    Ok(items) => {
                        self.waiting = items.into();
                        return Some(self.encode());
                    }
                    Err(end) => (end.reason(), self.source.farewell(end)),
                },
                () = quiet => return Some(self.quiet()),
            };
            self.ended = Some(reason);
            return Some(format!(": {comment}; last event {}\n\n", self.sent).into());
        }
        Some(self.encode())
    }

    /// Some of the messages that wait.
    fn encode(&mut self) -> Bytes {
        let mut frames = String::new();
        while let Some(item) = self.waiting.pop_front() {
            if let Some(cursor) = item.cursor {
                let _ = writeln!(frames, "id: {cursor}");
                self.sent = cursor;
            }
            // A line break would end the field.
            let name: String = item.name.split_whitespace().collect();
            let _ = write!(frames, "event: {name}\ndata: {}\n\n", item.data);
            metrics::counter!(STREAM_EVENTS_TOTAL).increment(1);
            if frames.len() >= FRAME_BYTES {
                break;
            }
        }
        frames.into()
    }

    /// Keeps the connection alive, and the place of the client up to date: an id alone is no event to it.
    fn quiet(&mut self) -> Bytes {
        match self.source.quiet().filter(|cursor| *cursor != self.sent) {
            Some(cursor) => {
                self.sent = cursor;
                format!("id: {}\n: keep-alive\n\n", self.sent).into()
            }
            None => Bytes::from_static(b": keep-alive\n\n"),
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let reason = self.ended.unwrap_or("client");
        metrics::counter!(STREAMS_ENDED_TOTAL, "reason" => reason).increment(1);
        tracing::debug!(
            log.id = self.source.id(),
            reason,
            last = self.sent,
            "event stream ended"
        );
    }
}
