//! Why a model call or a run did not succeed.
//!
//! Called by the models and the turn loop; the worker stores the [`Failure`] and decides by its kind.
//! Invariant: the set of kinds is closed and their names are stable, since they are stored and shown to clients.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The closed set of reasons for a failed model call or run. Names on the wire are snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The provider refused the credentials (401, 403).
    Authentication,
    /// Unknown model or endpoint (404).
    NotFound,
    /// The provider rejected the request (other 4xx), or the submission declares a tool that is none.
    BadRequest,
    /// The conversation is longer than the model takes.
    ContextOverflow,
    /// The model or its content filter refused to answer.
    Refused,
    /// Too many requests (429).
    RateLimited,
    /// The provider is over capacity (503, 529).
    Overloaded,
    /// The provider failed (other 5xx), or asked to try again (409).
    ServerError,
    /// No answer in time: the provider said so (408, 504), or the turn ran into its timeout.
    Timeout,
    /// The provider could not be reached.
    Network,
    /// The reply stopped before its end marker.
    StreamInterrupted,
    /// The reply was not understood, or was empty twice.
    InvalidReply,
    /// The reply hit the output token limit before it was whole.
    TruncatedReply,
    /// The output did not match its schema, also after the repair turn.
    OutputInvalid,
    /// A limit of the run was reached; the message names it.
    LimitExceeded,
    /// A message, result or output is larger than may be stored.
    TooLarge,
    /// The journal could not be written for so long that the run gave up.
    JournalUnavailable,
    /// There is no session with a server whose tools the agent offers.
    ToolsUnavailable,
}

impl ErrorKind {
    /// Every kind, for tables and metrics.
    pub const ALL: [Self; 18] = [
        Self::Authentication,
        Self::NotFound,
        Self::BadRequest,
        Self::ContextOverflow,
        Self::Refused,
        Self::RateLimited,
        Self::Overloaded,
        Self::ServerError,
        Self::Timeout,
        Self::Network,
        Self::StreamInterrupted,
        Self::InvalidReply,
        Self::TruncatedReply,
        Self::OutputInvalid,
        Self::LimitExceeded,
        Self::TooLarge,
        Self::JournalUnavailable,
        Self::ToolsUnavailable,
    ];

    /// Whether the same run may succeed later without anybody changing anything.
    #[must_use]
    pub const fn retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::Overloaded
            | Self::ServerError
            | Self::Timeout
            | Self::Network
            | Self::StreamInterrupted
            | Self::InvalidReply
            | Self::JournalUnavailable
            | Self::ToolsUnavailable => true,
            Self::Authentication
            | Self::NotFound
            | Self::BadRequest
            | Self::ContextOverflow
            | Self::Refused
            | Self::TruncatedReply
            | Self::OutputInvalid
            | Self::LimitExceeded
            | Self::TooLarge => false,
        }
    }

    /// The stable snake_case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::NotFound => "not_found",
            Self::BadRequest => "bad_request",
            Self::ContextOverflow => "context_overflow",
            Self::Refused => "refused",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server_error",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::StreamInterrupted => "stream_interrupted",
            Self::InvalidReply => "invalid_reply",
            Self::TruncatedReply => "truncated_reply",
            Self::OutputInvalid => "output_invalid",
            Self::LimitExceeded => "limit_exceeded",
            Self::TooLarge => "too_large",
            Self::JournalUnavailable => "journal_unavailable",
            Self::ToolsUnavailable => "tools_unavailable",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a run failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The reason, by which a retry is decided.
    pub kind: ErrorKind,
    /// For people; at most 2 KiB, never a key, a prompt or a payload of ours.
    pub message: String,
    /// The provider's HTTP status, if it answered.
    pub status: Option<u16>,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
    /// Whether a later attempt may succeed.
    pub retryable: bool,
    /// The turn that failed, counted from 1.
    pub turn: u32,
    /// Tokens that were paid for in that turn without being committed.
    pub uncommitted_usage: crate::Usage,
}

impl Failure {
    /// A failure of `kind` in `turn`, retryable as its kind says.
    #[must_use]
    pub fn new(kind: ErrorKind, turn: u32, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: bounded(message.into()),
            status: None,
            retry_after: None,
            retryable: kind.retryable(),
            turn,
            uncommitted_usage: crate::Usage::default(),
        }
    }
}

/// Largest error message that is kept, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 2048;

/// Cuts a message to [`MAX_MESSAGE_BYTES`] at a character boundary.
pub(crate) fn bounded(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES - 3));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serde_names() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        let message = bounded("é".repeat(5000));
        assert!(message.len() <= MAX_MESSAGE_BYTES && message.ends_with('…'));
    }
}
