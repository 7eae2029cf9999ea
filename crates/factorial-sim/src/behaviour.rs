//! What a request can be made to suffer: delays and faults, as data.
//!
//! Tests build a [`Behaviour`] in Rust or send it as JSON (admin call, `x-sim-behaviour` header, or a
//! `[[sim:behaviour={…}]]` directive). Invariant: every field is optional, and an empty behaviour changes nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Largest reply of [`Fault::Huge`], in bytes.
const HUGE_LIMIT: u64 = 256 * 1024 * 1024;

/// Delays and at most one fault, with the conditions under which they apply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Milliseconds before the first byte.
    pub latency_ms: Option<u64>,
    /// Milliseconds before each token of a stream.
    pub token_delay_ms: Option<u64>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// Ends after this many requests; without it, lasts until it is replaced or reset. Counted on the server,
    /// so it has no effect in a header or directive.
    pub requests: Option<u64>,
    /// The fault hits only the first so many requests. An installed behaviour counts all of its requests; one in a
    /// header or directive counts the requests with the same conversation.
    pub fail_first: Option<u64>,
    /// The fault hits each request with this probability, 0 to 1, decided by `seed` and the request's number.
    pub failure_rate: Option<f64>,
    /// Seed of `failure_rate`.
    pub seed: u64,
    /// Applies only to requests which would be answered so.
    pub when: Option<ReplyKind>,
    /// Applies only to requests whose last user text contains this.
    pub text_contains: Option<String>,
}

/// What a reply consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// An answer in words or JSON.
    Text,
    /// One or more tool calls.
    ToolCall,
}

/// Something that providers and networks really do. Written in JSON as `"no_end"` or `{"cut": {"after_tokens": 2}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error response with an OpenAI-shaped body.
    Status {
        /// HTTP status, 400 to 599.
        status: u16,
        /// `error.code`, such as `context_length_exceeded`; by default the usual one of the status.
        #[serde(default)]
        code: Option<String>,
        /// The `retry-after` header.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// The `retry-after-ms` header, in milliseconds.
        #[serde(default)]
        retry_after_ms: Option<u64>,
    },
    /// The connection is closed without a response.
    Disconnect,
    /// The connection is closed in the middle of a token, after so many whole ones, without a terminating chunk. Tokens
    /// of a tool call's arguments count too. Without streaming: in the middle of the body.
    Cut {
        /// Whole tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// Nothing more is sent, until the client closes the connection.
    Hang {
        /// Whole tokens streamed before; without it not even the response head is sent.
        #[serde(default)]
        after_tokens: Option<u64>,
    },
    /// The stream ends without `finish_reason` and `[DONE]`, but as HTTP wants it.
    NoEnd,
    /// A chunk that is not JSON, after so many tokens; the stream goes on behind it. Without streaming: half of the body.
    MalformedChunk {
        /// Whole tokens sent before.
        #[serde(default)]
        after_tokens: u64,
    },
    /// Bytes that are not UTF-8 inside the text or the arguments.
    InvalidUtf8,
    /// Tool calls (made even where the policy would answer, if tools are offered) whose arguments are not JSON.
    InvalidArguments,
    /// A call of the tool `no_such_tool`.
    UnknownTool,
    /// `choices` is empty.
    EmptyChoices,
    /// `message.refusal` instead of content.
    Refusal,
    /// No content and `finish_reason` `content_filter`.
    ContentFilter,
    /// Half of the text and `finish_reason` `length`.
    Length,
    /// Text that fits no JSON schema, whatever `response_format` says.
    InvalidOutput,
    /// A tool call in every turn, if tools are offered.
    ToolLoop,
    /// A text of this size.
    Huge {
        /// Size of the text in bytes, at most 256 MiB.
        bytes: u64,
    },
}

/// Forms of the `retry-after` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// Whole seconds.
    Seconds(u64),
    /// An HTTP date, so many seconds from now; it may lie in the past.
    DateInSeconds(i64),
    /// Exactly this text.
    Text(String),
}

/// A behaviour that came as JSON and makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BehaviourError {
    /// The JSON does not parse, or has unknown fields.
    #[error("behaviour does not parse: {0}")]
    Syntax(String),
    /// `failure_rate` is not a probability.
    #[error("failure_rate must lie between 0 and 1")]
    Rate,
    /// `status` is not that of an error.
    #[error("status {0} is not between 400 and 599")]
    Status(u16),
    /// `huge.bytes` is beyond the limit.
    #[error("huge.bytes must be at most {HUGE_LIMIT}")]
    Huge,
    /// A `retry-after` text that cannot stand in a header.
    #[error("retry_after.text is no header value")]
    RetryAfter,
}

impl Behaviour {
    /// A behaviour with this fault, until it is replaced.
    pub fn fault(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    /// An error response of this status with the usual code and no `retry-after`.
    pub fn status(status: u16) -> Self {
        Self::fault(Fault::Status {
            status,
            code: None,
            retry_after: None,
            retry_after_ms: None,
        })
    }

    /// A delay before the first byte, and no fault.
    pub fn latency(latency: Duration) -> Self {
        Self {
            latency_ms: Some(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)),
            ..Self::default()
        }
    }

    /// The same, for the next `requests` requests only.
    pub fn times(self, requests: u64) -> Self {
        Self {
            requests: Some(requests),
            ..self
        }
    }

    /// The same, only for requests that would be answered so.
    pub fn when(self, kind: ReplyKind) -> Self {
        Self {
            when: Some(kind),
            ..self
        }
    }

    /// The same, only for requests whose last user text contains `text`.
    pub fn for_text(self, text: impl Into<String>) -> Self {
        Self {
            text_contains: Some(text.into()),
            ..self
        }
    }

    /// Parses and checks one behaviour.
    ///
    /// # Errors
    /// When the JSON does not parse or a value is out of its range.
    pub fn from_json(json: &[u8]) -> Result<Self, BehaviourError> {
        let parsed: Self =
            serde_json::from_slice(json).map_err(|e| BehaviourError::Syntax(e.to_string()))?;
        parsed.check()?;
        Ok(parsed)
    }

    /// Checks the ranges that the types do not express.
    ///
    /// # Errors
    /// When a value is out of its range.
    pub fn check(&self) -> Result<(), BehaviourError> {
        if self
            .failure_rate
            .is_some_and(|rate| !(0.0..=1.0).contains(&rate))
        {
            return Err(BehaviourError::Rate);
        }
        match &self.fault {
            Some(Fault::Status { status, .. }) if !(400..=599).contains(status) => {
                Err(BehaviourError::Status(*status))
            }
            Some(Fault::Status {
                retry_after: Some(RetryAfter::Text(text)),
                ..
            }) if axum::http::HeaderValue::from_str(text).is_err() => {
                Err(BehaviourError::RetryAfter)
            }
            Some(Fault::Huge { bytes }) if *bytes > HUGE_LIMIT => Err(BehaviourError::Huge),
            _ => Ok(()),
        }
    }

    pub(crate) fn applies_to(&self, kind: ReplyKind, text: &str) -> bool {
        self.when.is_none_or(|wanted| wanted == kind)
            && self
                .text_contains
                .as_ref()
                .is_none_or(|part| text.contains(part.as_str()))
    }
}
