//! Response bodies that end as asked: whole, cut, hanging, or spoilt.
//!
//! Built by the handler. Invariant: the body holds the request's `Flight`, so that a client which goes away while it is
//! written is noticed.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use crate::behaviour::Fault;
use crate::reply::INVALID_MARK;
use crate::state::Flight;
use crate::wire::{FrameKind, Frames};

/// Not JSON, framed as an event.
const MALFORMED: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"\n\n";

struct Events {
    frames: std::iter::Peekable<Frames>,
    fault: Option<Fault>,
    delay: Duration,
    flight: Flight,
    /// Tokens sent.
    tokens: u64,
    /// The next thing to do is to break the connection.
    breaking: bool,
}

/// A reply as events, under a fault and with a delay before each token.
pub(super) fn events(
    frames: Frames,
    fault: Option<Fault>,
    delay: Duration,
    flight: Flight,
) -> Body {
    let events = Events {
        frames: frames.peekable(),
        fault,
        delay,
        flight,
        tokens: 0,
        breaking: false,
    };
    Body::from_stream(stream::unfold(events, step))
}

async fn step(mut events: Events) -> Option<(io::Result<Bytes>, Events)> {
    if events.breaking {
        write_out().await;
        events.flight.broken();
        return Some((Err(broken_off()), events));
    }
    let frame = events.frames.next()?;
    let token = frame.kind == FrameKind::Token;
    if token && !events.delay.is_zero() {
        tokio::time::sleep(events.delay).await;
    }
    // A fault after more tokens than there are strikes before the end.
    let due = |after: u64| (token && events.tokens >= after) || frame.kind == FrameKind::Close;
    let mut bytes = frame.bytes;
    match &events.fault {
        Some(Fault::Hang {
            after_tokens: Some(after),
        }) if due(*after) => std::future::pending::<()>().await,
        Some(Fault::Cut { after_tokens }) if due(*after_tokens) => {
            bytes.truncate(bytes.len() / 2);
            events.breaking = true;
        }
        Some(Fault::MalformedChunk { after_tokens }) if due(*after_tokens) => {
            bytes = [MALFORMED, bytes.as_ref()].concat().into();
            events.fault = None;
        }
        Some(Fault::InvalidUtf8) => {
            let mut spoilt = bytes.to_vec();
            spoil(&mut spoilt);
            bytes = spoilt.into();
        }
        _ => {}
    }
    events.tokens += u64::from(token);
    // Before the client can see the end: it may close the connection as soon as it has read it.
    if !events.breaking && events.frames.peek().is_none() {
        events.flight.finished(200);
    }
    Some((Ok(bytes), events))
}

/// These bytes and then the end of the connection; without bytes, not even the response head is written.
pub(super) fn broken(bytes: Bytes, flight: Flight) -> Body {
    let silent = bytes.is_empty();
    let pieces = stream::unfold(
        (Some(bytes), flight),
        move |(bytes, mut flight)| async move {
            match bytes.filter(|_| !silent) {
                Some(bytes) => Some((Ok(bytes), (None, flight))),
                None => {
                    if !silent {
                        write_out().await;
                    }
                    flight.broken();
                    Some((Err(broken_off()), (None, flight)))
                }
            }
        },
    );
    Body::from_stream(pieces)
}

/// A pause in which the connection writes what it has; an error throws its buffer away.
async fn write_out() {
    tokio::task::yield_now().await;
}

/// Makes the connection close without a terminating chunk.
fn broken_off() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// Replaces each mark by bytes that no UTF-8 text has.
pub(super) fn spoil(json: &mut [u8]) {
    let mut buffer = [0; INVALID_MARK.len_utf8()];
    let mark = INVALID_MARK.encode_utf8(&mut buffer).as_bytes();
    let mut at = 0;
    while let Some(found) = json.get(at..at + mark.len()) {
        if found == mark {
            json[at..at + mark.len()].fill(0xFF);
        }
        at += 1;
    }
}
