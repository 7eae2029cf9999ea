//! What can go wrong in a tool, by kind.
//!
//! The text goes to the model, so that it can repair its call or do without.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The closed set of tool errors. Names on the wire are snake_case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolErrorKind {
    /// No tool of that name.
    UnknownTool,
    /// The arguments are not JSON, or do not match the schema.
    InvalidArguments,
    /// The tool said no.
    Failed,
    /// It took too long and was stopped, or nobody answered in time.
    Timeout,
    /// It panicked.
    Panicked,
    /// An HTTP endpoint answered with a failure status.
    HttpStatus,
    /// An HTTP endpoint could not be reached, or broke off.
    Network,
    /// The answer is larger than allowed.
    TooLarge,
    /// The call may or may not have happened in an earlier attempt, and must not be made twice.
    UnknownOutcome,
    /// A person refused the call.
    Denied,
    /// Somebody steered the task with an interrupt while the call was waited for.
    Interrupted,
    /// The task ended while the call was waited for, and was retried.
    Closed,
    /// The child task failed.
    ChildFailed,
    /// The child task was cancelled.
    ChildCancelled,
    /// The child task was not made.
    ChildRefused,
    /// Whoever was asked by a deferred call answered with an error, or its endpoint refused it.
    DeferredError,
    /// A deferred HTTP call has no URL to be answered at, since no public URL is configured.
    NoCallbackUrl,
}

impl ToolErrorKind {
    /// The stable snake_case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTool => "unknown_tool",
            Self::InvalidArguments => "invalid_arguments",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Panicked => "panicked",
            Self::HttpStatus => "http_status",
            Self::Network => "network",
            Self::TooLarge => "too_large",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Denied => "denied",
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
            Self::ChildFailed => "child_failed",
            Self::ChildCancelled => "child_cancelled",
            Self::ChildRefused => "child_refused",
            Self::DeferredError => "deferred_error",
            Self::NoCallbackUrl => "no_callback_url",
        }
    }
}

impl fmt::Display for ToolErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A tool call that gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// Which kind.
    pub kind: ToolErrorKind,
    /// For the model.
    pub message: String,
}

impl ToolError {
    /// An error of `kind`.
    #[must_use]
    pub fn new(kind: ToolErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// The tool itself says no.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ToolErrorKind::Failed, message)
    }
}
