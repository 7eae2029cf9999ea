//! What a task awaits, as it is stored: one text per wait key in a hash.
//!
//! `? <kind> <asked ms> <deadline ms or 0> <ref>`: open. `= <kind> <outcome> <at ms> <sha1> <ref> <payload JSON>`: answered.
//! `. <kind> <outcome> <at ms> <sha1> <ref>`: answered, and part of the conversation. The reference of a child is its id; of
//! a call the index of its reply in the conversation; of an approval that and the version of the agent, `<index>@<version>`.

use std::{fmt, str::FromStr, time::Duration};

use serde_json::Value;

use crate::{error::StoreError, ids::TaskId};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// The stored name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = StoreError;
            fn from_str(text: &str) -> Result<Self, StoreError> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(StoreError::corrupt("wait", text)) }
            }
        }
    };
}

words!(
    /// Who answers.
    WaitKind {
        /// A child, by its end.
        Child = "child",
        /// Whoever submitted the task.
        Caller = "caller",
        /// An operator, or a program of theirs.
        Operator = "operator",
        /// A person, with a yes or a no.
        Approval = "approval",
    }
);

words!(
    /// How a wait was answered.
    WaitOutcome {
        /// The child completed.
        Completed = "completed",
        /// The child failed.
        Failed = "failed",
        /// The child was cancelled.
        Cancelled = "cancelled",
        /// The call gave a result.
        Result = "result",
        /// The call gave an error.
        Error = "error",
        /// The call may be made.
        Approved = "approved",
        /// The call may not be made.
        Denied = "denied",
        /// Nobody answered in time.
        Timeout = "timeout",
        /// Somebody steered the task and did not want to wait.
        Interrupted = "interrupted",
        /// The task ended before.
        Closed = "closed",
    }
);

/// What is awaited, inside its task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitKey {
    /// The result of a call. Stored as `<call>`.
    Call(String),
    /// The approval of a call. Stored as `a:<call>`.
    Approval(String),
    /// A child of a call, counted from 0. Stored as `<call>/<index>`.
    Child(String, u32),
}

impl fmt::Display for WaitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => f.write_str(call),
            Self::Approval(call) => write!(f, "a:{call}"),
            Self::Child(call, index) => write!(f, "{call}/{index}"),
        }
    }
}

impl FromStr for WaitKey {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(call) = text.strip_prefix("a:") {
            return Ok(Self::Approval(call.to_owned()));
        }
        match text.rsplit_once('/') {
            None => Ok(Self::Call(text.to_owned())),
            Some((call, index)) => index
                .parse()
                .map(|index| Self::Child(call.to_owned(), index))
                .map_err(|_| StoreError::corrupt("wait", text)),
        }
    }
}

/// A wait to be registered with a commit; children are registered when they are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWait {
    /// What is awaited.
    pub key: WaitKey,
    /// Who answers.
    pub kind: WaitKind,
    /// How long it is awaited; `None`: for ever.
    pub timeout: Option<Duration>,
    /// Index of the reply that makes the call, in the conversation.
    pub entry: u64,
    /// Of the agent that asks; of approvals.
    pub version: Option<String>,
}

impl NewWait {
    pub(crate) fn push_args(&self, args: &mut Vec<String>) {
        args.push(self.key.to_string());
        args.push(self.kind.as_str().to_owned());
        args.push(
            self.timeout
                .map_or_else(String::new, |t| t.as_millis().to_string()),
        );
        args.push(match &self.version {
            Some(version) => format!("{}@{version}", self.entry),
            None => self.entry.to_string(),
        });
    }
}

/// What a wait is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitSubject {
    /// A child.
    Child(TaskId),
    /// A call of the reply at this index of the conversation; with the version of the agent, of approvals.
    Call {
        /// Index of the reply.
        entry: u64,
        /// Of the agent that asked.
        version: Option<String>,
    },
}

/// How a wait stands. Times are ms since the Unix epoch, by Redis.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitStatus {
    /// Nobody has answered.
    Open {
        /// Since when.
        asked_ms: i64,
        /// When it is given up; `None`: never.
        deadline_ms: Option<i64>,
    },
    /// Answered; the task has not seen it yet.
    Answered {
        /// How.
        outcome: WaitOutcome,
        /// When.
        at_ms: i64,
        /// What it said.
        payload: Value,
    },
    /// Answered, and part of the conversation.
    Taken {
        /// How.
        outcome: WaitOutcome,
        /// When.
        at_ms: i64,
    },
}

/// Something that a task awaits, or has awaited.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// What.
    pub key: WaitKey,
    /// Who answers.
    pub kind: WaitKind,
    /// What it is about.
    pub subject: WaitSubject,
    /// How it stands.
    pub status: WaitStatus,
}

impl Wait {
    /// Nobody has answered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, WaitStatus::Open { .. })
    }

    pub(crate) fn decode(key: &str, stored: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::corrupt("wait", format!("{key}: {stored}"));
        let key: WaitKey = key.parse()?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad());
        let mut words = stored.splitn(7, ' ');
        let mut word = || words.next().ok_or_else(bad);
        let sort = word()?;
        let kind: WaitKind = word()?.parse()?;
        let (status, reference) = match sort {
            "?" => {
                let (asked_ms, deadline) = (number(word()?)?, number(word()?)?);
                let deadline_ms = Some(deadline).filter(|ms| *ms != 0);
                (
                    WaitStatus::Open {
                        asked_ms,
                        deadline_ms,
                    },
                    word()?,
                )
            }
            "=" | "." => {
                let (outcome, at_ms) = (word()?.parse()?, number(word()?)?);
                let _print = word()?;
                let reference = word()?;
                let status = if sort == "=" {
                    let payload = serde_json::from_str(word()?).map_err(|_| bad())?;
                    WaitStatus::Answered {
                        outcome,
                        at_ms,
                        payload,
                    }
                } else {
                    WaitStatus::Taken { outcome, at_ms }
                };
                (status, reference)
            }
            _ => return Err(bad()),
        };
        let subject = if kind == WaitKind::Child {
            WaitSubject::Child(reference.parse().map_err(|_| bad())?)
        } else {
            let (entry, version) = match reference.split_once('@') {
                Some((entry, version)) => (entry, Some(version.to_owned())),
                None => (reference, None),
            };
            let entry = entry.parse().map_err(|_| bad())?;
            WaitSubject::Call { entry, version }
        };
        Ok(Self {
            key,
            kind,
            subject,
            status,
        })
    }

    /// All waits of a task from the flat fields of their hash, by key.
    pub(crate) fn decode_all(flat: Vec<String>) -> Result<Vec<Self>, StoreError> {
        let mut waits = Vec::with_capacity(flat.len() / 2);
        let mut items = flat.into_iter();
        while let (Some(key), Some(stored)) = (items.next(), items.next()) {
            waits.push(Self::decode(&key, &stored)?);
        }
        waits.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(waits)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wait_is_read_as_it_stands() {
        let open = Wait::decode("a:c1", "? approval 17 0 3@abc").unwrap();
        assert_eq!(open.key, WaitKey::Approval("c1".into()));
        assert!(open.is_open());
        assert_eq!(
            open.subject,
            WaitSubject::Call {
                entry: 3,
                version: Some("abc".into())
            }
        );
        let answered = Wait::decode("c1", "= operator result 20 da39 3 {\"a\": [1, 2]}").unwrap();
        assert_eq!(
            answered.status,
            WaitStatus::Answered {
                outcome: WaitOutcome::Result,
                at_ms: 20,
                payload: json!({"a": [1, 2]})
            }
        );
        let taken = Wait::decode("c1", ". operator result 20 da39 3").unwrap();
        assert_eq!(
            taken.status,
            WaitStatus::Taken {
                outcome: WaitOutcome::Result,
                at_ms: 20
            }
        );
        let child = "0-01hf7yat000000000000000007";
        let child = Wait::decode("c1/12", &format!("? child 17 99 {child}")).unwrap();
        assert_eq!(child.key, WaitKey::Child("c1".into(), 12));
        assert!(matches!(child.subject, WaitSubject::Child(_)));
        for bad in [
            "",
            "?",
            "? child 1 2 x",
            "? nobody 1 2 3",
            "= operator result x y 3 {}",
            "= operator result 1 y 3 {",
            "! operator 1 2 3",
        ] {
            assert!(Wait::decode("c", bad).is_err(), "{bad}");
        }
    }
}
