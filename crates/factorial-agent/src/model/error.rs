//! What can go wrong in a model call, by kind.
//!
//! Made from what the HTTP library and the provider say. Invariant: a message is at most 2 KiB and holds no key.

use std::{
    error::Error as StdError,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::retry_after::retry_after;
use crate::{ErrorKind, failure::bounded};

/// A model call that gave no whole reply.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct ModelError {
    /// By which a retry is decided.
    pub kind: ErrorKind,
    /// The provider's HTTP status, if it answered with one that says failure.
    pub status: Option<u16>,
    /// For people.
    pub message: String,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
}

impl ModelError {
    /// An error without a status.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: bounded(message.into()),
            retry_after: None,
        }
    }

    /// The error of a response with a failure status. `body` is the provider's, in OpenAI's form or any other.
    pub(super) fn from_status(
        status: StatusCode,
        headers: &HeaderMap,
        body: &str,
        now: SystemTime,
    ) -> Self {
        let parsed: Option<Value> = serde_json::from_str(body).ok();
        let (codes, said) = parsed
            .as_ref()
            .map_or_else(|| (String::new(), excerpt(body)), describe);
        let kind = match status.as_u16() {
            _ if is_context_overflow(&codes, &said)
                && status.is_client_error()
                && status != StatusCode::TOO_MANY_REQUESTS =>
            {
                ErrorKind::ContextOverflow
            }
            400 | 422 if codes.contains("content_filter") || codes.contains("content_policy") => {
                ErrorKind::Refused
            }
            401 | 403 => ErrorKind::Authentication,
            404 => ErrorKind::NotFound,
            408 | 504 => ErrorKind::Timeout,
            409 => ErrorKind::ServerError,
            429 => ErrorKind::RateLimited,
            503 | 529 => ErrorKind::Overloaded,
            500..=599 => ErrorKind::ServerError,
            _ => ErrorKind::BadRequest,
        };
        let reason = status.canonical_reason().unwrap_or("unknown status");
        let message = if said.is_empty() {
            format!("{} {reason}", status.as_u16())
        } else {
            format!("{} {reason}: {said}", status.as_u16())
        };
        Self {
            status: Some(status.as_u16()),
            retry_after: retry_after(headers, now),
            ..Self::new(kind, message)
        }
    }

    /// The error object of a stream that had begun well.
    pub(super) fn from_stream_body(body: &Value) -> Self {
        let (codes, said) = describe(body);
        let has = |word: &str| codes.contains(word);
        let kind = if is_context_overflow(&codes, &said) {
            ErrorKind::ContextOverflow
        } else if has("rate_limit") || has("429") || has("quota") || has("resource_exhausted") {
            ErrorKind::RateLimited
        } else if has("overloaded") || has("503") || has("529") || has("unavailable") {
            ErrorKind::Overloaded
        } else if has("authentication") || has("permission") || has("401") || has("403") {
            ErrorKind::Authentication
        } else if has("content_filter") || has("content_policy") {
            ErrorKind::Refused
        } else if has("not_found") || has("404") {
            ErrorKind::NotFound
        } else if has("invalid_request") || has("bad_request") || has("400") {
            ErrorKind::BadRequest
        } else if has("timeout") || has("408") || has("504") {
            ErrorKind::Timeout
        } else {
            // The provider broke off by itself; it may well succeed the next time.
            ErrorKind::ServerError
        };
        Self::new(kind, format!("the provider broke off: {said}"))
    }

    /// The error of a request that got no response, or whose response broke off.
    pub(super) fn from_transport(error: &reqwest::Error) -> Self {
        let kind = if error.is_timeout() && !error.is_connect() {
            ErrorKind::Timeout
        } else if error.is_connect() || error.is_request() {
            ErrorKind::Network
        } else if error.is_builder() {
            ErrorKind::BadRequest
        } else {
            ErrorKind::StreamInterrupted
        };
        Self::new(kind, causes(error))
    }

    /// The same without the key, should a provider have repeated it.
    #[must_use]
    pub(super) fn redacted(mut self, key: &str) -> Self {
        if key.len() >= 8 {
            self.message = self.message.replace(key, "[key]");
        }
        self
    }
}

/// The codes, types and statuses of an error object in lower case, and its message.
fn describe(body: &Value) -> (String, String) {
    // Gemini wraps its error in an array; OpenAI, Anthropic and others name the object `error`.
    let body = body.get(0).unwrap_or(body);
    let error = body.get("error").unwrap_or(body);
    let mut codes = String::new();
    for name in ["code", "type", "status"] {
        match error.get(name) {
            Some(Value::String(text)) => codes.push_str(&text.to_lowercase()),
            Some(Value::Number(number)) => codes.push_str(&number.to_string()),
            _ => continue,
        }
        codes.push(' ');
    }
    let said = [
        error.get("message"),
        body.get("message"),
        body.get("detail"),
        Some(error),
    ]
    .into_iter()
    .flatten()
    .find_map(Value::as_str);
    (
        codes,
        said.map_or_else(|| excerpt(&error.to_string()), excerpt),
    )
}

fn is_context_overflow(codes: &str, said: &str) -> bool {
    let said = said.to_lowercase();
    codes.contains("context_length")
        || codes.contains("exceed_context_size")
        || [
            "context length",
            "context window",
            "context size",
            "prompt is too long",
            "input token count",
            "maximum prompt length",
        ]
        .iter()
        .any(|phrase| said.contains(phrase))
}

/// The first kilobyte of a body, on one line.
fn excerpt(body: &str) -> String {
    let end = body.floor_char_boundary(1024);
    body[..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error with all its causes, without the address, which may hold a key as a parameter.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_connect() {
        "could not connect".to_owned()
    } else if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_builder() {
        "invalid request".to_owned()
    } else if error.is_body() || error.is_decode() {
        "the response broke off".to_owned()
    } else {
        "request failed".to_owned()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        // A reqwest error deeper down prints its address.
        if error.downcast_ref::<reqwest::Error>().is_none() {
            text.push_str(": ");
            text.push_str(&error.to_string());
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(status: u16, body: &Value) -> ErrorKind {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        ModelError::from_status(
            status,
            &HeaderMap::new(),
            &body.to_string(),
            SystemTime::UNIX_EPOCH,
        )
        .kind
    }

    #[test]
    fn statuses_have_kinds() {
        let plain = json!({"error": {"message": "m"}});
        for (status, expected) in [
            (400, ErrorKind::BadRequest),
            (401, ErrorKind::Authentication),
            (403, ErrorKind::Authentication),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Timeout),
            (409, ErrorKind::ServerError),
            (413, ErrorKind::BadRequest),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::ServerError),
            (503, ErrorKind::Overloaded),
            (504, ErrorKind::Timeout),
            (529, ErrorKind::Overloaded),
            (307, ErrorKind::BadRequest),
        ] {
            assert_eq!(kind(status, &plain), expected, "{status}");
            assert_eq!(
                expected.retryable(),
                matches!(status, 408 | 409 | 429 | 500..=599),
                "{status}"
            );
        }
    }

    #[test]
    fn overflow_is_told_from_other_bad_requests() {
        for body in [
            json!({"error": {"code": "context_length_exceeded", "message": "m"}}),
            json!({"error": {"code": 400, "type": "exceed_context_size_error", "message": "the request exceeds the available context size"}}),
            json!({"error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
            json!([{"error": {"status": "INVALID_ARGUMENT", "message": "The input token count (2) exceeds the maximum"}}]),
        ] {
            assert_eq!(kind(400, &body), ErrorKind::ContextOverflow, "{body}");
        }
        assert_eq!(
            kind(400, &json!({"error": {"code": "content_filter"}})),
            ErrorKind::Refused
        );
    }

    #[test]
    fn stream_errors_have_kinds() {
        for (body, expected) in [
            (
                json!({"type": "server_error", "message": "m"}),
                ErrorKind::ServerError,
            ),
            (
                json!({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}),
                ErrorKind::Overloaded,
            ),
            (
                json!({"code": "rate_limit_exceeded"}),
                ErrorKind::RateLimited,
            ),
            (json!({"code": 429}), ErrorKind::RateLimited),
            (
                json!({"type": "invalid_request_error"}),
                ErrorKind::BadRequest,
            ),
            (json!("text"), ErrorKind::ServerError),
        ] {
            assert_eq!(ModelError::from_stream_body(&body).kind, expected, "{body}");
        }
    }

    #[test]
    fn keys_are_taken_out() {
        let error = ModelError::new(ErrorKind::Authentication, "bad key sk-1234567890")
            .redacted("sk-1234567890");
        assert_eq!(error.message, "bad key [key]");
    }
}
