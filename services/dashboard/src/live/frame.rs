//! Frames to a client.

use axum::{body::to_bytes, response::IntoResponse};
use factorial_service::ApiError;
use serde_json::json;

/// Most bytes of a problem document.
const LONGEST_PROBLEM: usize = 1024 * 1024;

/// What a subscription hands to its socket.
pub(super) enum Outgoing {
    /// A frame.
    Frame(String),
    /// The last frame of this subscription.
    Last(u64, String),
    /// The store does not answer: the client is told to come again.
    Away,
}

/// The newest state of a topic.
pub(super) fn data(id: u64, json: &str) -> String {
    format!("{{\"type\":\"data\",\"id\":{id},\"data\":{json}}}")
}

/// A subscription is over: `problem` is a problem document.
pub(super) fn error(id: u64, problem: &str) -> String {
    format!("{{\"type\":\"error\",\"id\":{id},\"problem\":{problem}}}")
}

pub(super) fn pong() -> String {
    json!({ "type": "pong" }).to_string()
}

pub(super) fn bye(reason: &str) -> String {
    json!({ "type": "bye", "reason": reason }).to_string()
}

/// A refusal as a problem document.
pub(super) async fn problem(refusal: ApiError) -> String {
    let body = refusal.into_response().into_body();
    let bytes = to_bytes(body, LONGEST_PROBLEM).await.unwrap_or_default();
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| "{}".to_owned())
}
