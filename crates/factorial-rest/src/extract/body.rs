//! Reads a request body, bounded in size and in time.
//!
//! Used by the JSON extractors. Invariant: no more than the limit is ever held in memory.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use factorial_service::{ApiError, ErrorKind};
use futures::StreamExt;
use http::{HeaderMap, header};
use tokio::time::{Instant, timeout, timeout_at};

/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);
/// How long the rest of a body that is too large is read and thrown away: a client that is still sending would find
/// its connection reset, and never see the answer.
const DISCARD_FOR: Duration = Duration::from_secs(5);

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// `payload_too_large`; `invalid_json` when it ends early or does not arrive in time.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_large = announced.is_some_and(|length| length > limit as u64);
    // A client that waits for our word is told no, and sends nothing.
    if too_large && headers.contains_key(header::EXPECT) {
        return Err(refused(limit));
    }
    let mut stream = body.into_data_stream();
    if !too_large && let Some(bytes) = gather(&mut stream, limit).await? {
        return Ok(bytes);
    }
    let discard = async { while let Some(Ok(_)) = stream.next().await {} };
    // Either way the answer is the same.
    let _ = timeout(DISCARD_FOR, discard).await;
    Err(refused(limit))
}

/// The whole body, or `None` once it is larger than `limit`.
async fn gather(stream: &mut BodyDataStream, limit: usize) -> Result<Option<Bytes>, ApiError> {
    let deadline = Instant::now() + ARRIVES_WITHIN;
    let mut held = BytesMut::new();
    loop {
        let Ok(part) = timeout_at(deadline, stream.next()).await else {
            return Err(incomplete("it did not arrive in time"));
        };
        match part {
            None => return Ok(Some(held.freeze())),
            Some(Err(_)) => return Err(incomplete("it ended early")),
            Some(Ok(part)) if held.len() + part.len() > limit => return Ok(None),
            Some(Ok(part)) => held.extend_from_slice(&part),
        }
    }
}

fn refused(limit: usize) -> ApiError {
    ApiError::new(ErrorKind::PayloadTooLarge)
        .with_detail(format!("a body may have at most {limit} bytes"))
}

fn incomplete(detail: &str) -> ApiError {
    ApiError::new(ErrorKind::InvalidJson).with_detail(detail)
}
