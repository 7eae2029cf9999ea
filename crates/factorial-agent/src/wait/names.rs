//! Who answers a wait, and how.
//!
//! Invariant: the sets are closed and their names are stable, since they are stored.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitKind {
    /// A child task, by ending.
    Child,
    /// Whoever submitted the task.
    Caller,
    /// Somebody or something outside.
    Operator,
    /// A person who says yes or no.
    Approval,
}

impl WaitKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Child, Self::Caller, Self::Operator, Self::Approval];

    /// The stable snake_case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Caller => "caller",
            Self::Operator => "operator",
            Self::Approval => "approval",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for WaitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a wait was answered, and with which payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitOutcome {
    /// A child: `{"task_id", "status", "output"}`.
    Completed,
    /// A child: `{"task_id", "status", "failure": {"kind", "message", "status"?}}`.
    Failed,
    /// A child: `{"task_id", "status", "reason"?}`.
    Cancelled,
    /// A deferred call: the result, any JSON.
    Result,
    /// A deferred call: `{"message"}`.
    Error,
    /// An approval: `{"arguments"?, "by"?}`; `arguments` are to be used instead of the model's.
    Approved,
    /// An approval: `{"reason"?, "by"?}`.
    Denied,
    /// Any kind: nobody answered in time. `{}`.
    Timeout,
    /// Any kind: somebody steered the parked task with an interrupt. `{}`.
    Interrupted,
    /// Any kind: the task ended while it was open. `{}`.
    Closed,
}

impl WaitOutcome {
    /// Every outcome.
    pub const ALL: [Self; 10] = [
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Result,
        Self::Error,
        Self::Approved,
        Self::Denied,
        Self::Timeout,
        Self::Interrupted,
        Self::Closed,
    ];

    /// The stable snake_case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Result => "result",
            Self::Error => "error",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::Interrupted => "interrupted",
            Self::Closed => "closed",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

impl fmt::Display for WaitOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_serde_names() {
        for kind in WaitKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(WaitKind::parse(kind.as_str()), Some(kind));
        }
        for outcome in WaitOutcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(WaitOutcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
