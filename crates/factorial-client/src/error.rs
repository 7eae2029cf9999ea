//! What can go wrong between a program and the gateway.

use std::time::Duration;

use factorial_api::{ErrorCode, Problem};
use reqwest::StatusCode;

/// A call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The client cannot be made like this.
    #[error("{0}")]
    Setup(String),
    /// The gateway said no, and why.
    #[error("{}", describe(.problem))]
    Problem {
        /// What it said.
        problem: Box<Problem>,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Something answered with a failure that is not the gateway's own: a proxy, or a newer version.
    #[error("status {status}: {body}")]
    Status {
        /// Its status.
        status: StatusCode,
        /// The start of what it said.
        body: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke, or no answer in time.
    #[error("no answer from {url}: {source}")]
    Transport {
        /// What was asked, without secrets.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The answer is not of the form that this version knows.
    #[error("unexpected answer: {0}")]
    Decode(#[from] serde_json::Error),
    /// What was to be sent could not be read.
    #[error("cannot read what is to be sent: {0}")]
    Read(std::io::Error),
    /// An event stream brought nothing for too long, again and again.
    #[error("the event stream is silent")]
    Silent,
}

impl ClientError {
    /// The stable code, when the gateway said no.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code)
    }

    /// What the gateway said, when it said no.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// The same call may succeed later; whether it took effect is unknown.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Problem { problem, .. } => matches!(problem.status, 502..=504),
            Self::Status { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::Transport { source, .. } => !source.is_builder(),
            Self::Silent => true,
            Self::Setup(_) | Self::Decode(_) | Self::Read(_) => false,
        }
    }

    /// Nobody listens there.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Transport { source, .. } if source.is_connect())
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn describe(problem: &Problem) -> String {
    let mut text = problem.title.clone();
    if let Some(detail) = &problem.detail {
        text.push_str(": ");
        text.push_str(detail);
    }
    for error in &problem.errors {
        text.push_str(&format!("; {} {}", error.field, error.message));
    }
    for bad in problem.batch.iter().flat_map(|batch| &batch.lines) {
        let (line, pointer, message) = (bad.line, &bad.pointer, &bad.message);
        text.push_str(&format!("; line {line}: {pointer} {message}"));
    }
    text
}
