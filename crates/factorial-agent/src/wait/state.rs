//! A wait from its registration to its end, and how a task is put aside meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{WaitKey, WaitKind, WaitOutcome};

/// A wait to be registered. Those of children are registered with the child, see [`crate::NewChild`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWait {
    /// What is waited for.
    pub key: WaitKey,
    /// Who answers; never [`WaitKind::Child`].
    pub kind: WaitKind,
    /// How long, from now; `None` for ever. Whole milliseconds in the serde form.
    #[serde(default, with = "millis", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

/// A wait as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// What is waited for.
    pub key: WaitKey,
    /// Who answers.
    pub kind: WaitKind,
    /// The version of the agent that asked; kept for approvals, also when they are answered.
    pub version: Option<String>,
    /// How far it is.
    pub status: WaitStatus,
}

/// How far a wait is.
#[derive(Debug, Clone, PartialEq)]
pub enum WaitStatus {
    /// Nobody has answered.
    Open,
    /// The answer, whose shape follows its outcome; see [`WaitOutcome`].
    Answered(WaitOutcome, Value),
    /// The answer has had its effect: it is part of the conversation, or its call was begun.
    Taken(WaitOutcome),
}

/// What a journal says to a run that has nothing left to do but wait.
#[derive(Debug, Clone, PartialEq)]
pub enum Parking {
    /// The task is put aside.
    Parked,
    /// All waits of the task as they are now: none is open any more, so the run goes on.
    Ready(Vec<Wait>),
}

/// What a parked task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedFor {
    /// Nothing but children.
    Children,
    /// Results or approvals, perhaps children too.
    Answers,
}

/// A tool that the submission of a task has declared; the caller answers its calls.
#[derive(Debug, Clone, PartialEq)]
pub struct CallerTool {
    /// The name that the model uses; a tool of the agent of the same name wins.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Value,
    /// How long a call waits for its result; `None` for ever.
    pub timeout: Option<Duration>,
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        timeout: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        timeout
            .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_new_wait_is_read_as_it_is_written() {
        let wait = NewWait {
            key: WaitKey::Approval("c".into()),
            kind: WaitKind::Approval,
            timeout: Some(Duration::from_secs(2)),
        };
        let json = serde_json::to_value(&wait).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"key": "a:c", "kind": "approval", "timeout": 2000})
        );
        assert_eq!(serde_json::from_value::<NewWait>(json).unwrap(), wait);
    }
}
