//! An event stream on the wire: `text/event-stream`.
//!
//! Made by the events handler, and polled by the connection only when there is room for more, so that a client who
//! reads slowly holds up nobody. Invariant: a frame is an event as a whole, and its `id` is where to go on after it.

use std::{collections::VecDeque, pin::pin, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use factorial_core::{Event, Store, StoreError};
use futures::stream;
use http::{HeaderValue, header};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    follow::{End, Follow},
    log::Log,
};
use crate::{
    layers::WaitGuard,
    metrics::{STREAM_EVENTS_TOTAL, STREAMS_ENDED_TOTAL},
};

/// How long a client should wait before it comes back.
const PREAMBLE: &[u8] = b"retry: 1000\n\n";
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
/// Events are put together up to about this size.
const FRAME_BYTES: usize = 16 * 1024;

/// An open event stream.
struct EventStream {
    follow: Follow,
    keep_alive: Duration,
    drain: CancellationToken,
    /// Nothing was sent yet.
    fresh: bool,
    /// Events that are next.
    waiting: VecDeque<Event>,
    /// `seq` of the last event that was sent.
    sent: u64,
    ended: Option<&'static str>,
    _wait: WaitGuard,
}

/// The answer that streams the events of a log after a `seq`.
pub(super) fn sse(
    store: Store,
    log: Log,
    after: u64,
    keep_alive: Duration,
    drain: CancellationToken,
    wait: WaitGuard,
) -> Response {
    let stream = EventStream {
        follow: Follow::new(store, log, after),
        keep_alive,
        drain,
        fresh: true,
        waiting: VecDeque::new(),
        sent: after,
        ended: None,
        _wait: wait,
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
        let end = if self.waiting.is_empty() {
            let quiet = pin!(sleep(self.keep_alive));
            tokio::select! {
                biased;
                () = self.drain.cancelled() => Some(("drain", "this gateway is stopping; connect again".to_owned())),
                next = self.follow.next() => match next {
                    Ok(events) => {
                        self.waiting = events.into();
                        None
                    }
                    Err(End::Finished) => Some(("finished", self.comment("has ended"))),
                    Err(End::Gone) => Some(("gone", self.comment("has expired"))),
                    Err(End::Failed) => Some(failed()),
                },
                () = quiet => return Some(Bytes::from_static(KEEP_ALIVE)),
            }
        } else {
            None
        };
        let (reason, comment) = match end {
            Some(end) => end,
            None => match self.encode() {
                Ok(frames) => return Some(frames),
                Err(error) => {
                    tracing::error!(log.id = self.follow.log().id(), %error, "event stream failed");
                    failed()
                }
            },
        };
        self.ended = Some(reason);
        Some(format!(": {comment}; last event {}\n\n", self.sent).into())
    }

    fn comment(&self, what: &str) -> String {
        format!("the {} {what}", self.follow.log().noun())
    }

    /// Some of the events that wait.
    fn encode(&mut self) -> Result<Bytes, StoreError> {
        let mut frames = String::new();
        while let Some(stored) = self.waiting.pop_front() {
            let data = self.follow.log().encode(&stored)?;
            // A line break would end the field.
            let name: String = stored.event_type.split_whitespace().collect();
            frames.push_str(&format!(
                "id: {}\nevent: {name}\ndata: {data}\n\n",
                stored.seq
            ));
            metrics::counter!(STREAM_EVENTS_TOTAL).increment(1);
            self.sent = stored.seq;
            if frames.len() >= FRAME_BYTES {
                break;
            }
        }
        Ok(frames.into())
    }
}

fn failed() -> (&'static str, String) {
    ("failed", "the stream failed".to_owned())
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let reason = self.ended.unwrap_or("client");
        metrics::counter!(STREAMS_ENDED_TOTAL, "reason" => reason).increment(1);
        tracing::debug!(
            log.id = self.follow.log().id(),
            reason,
            last = self.sent,
            "event stream ended"
        );
    }
}
