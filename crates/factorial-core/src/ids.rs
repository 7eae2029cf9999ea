//! Validated names: everything from outside that becomes part of a key is one of these.
//!
//! None of them can hold `{`, `}`, `:`, white space or control characters, so no two keys can meet.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// Why a name was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidName {
    /// What the name was to be, for example `owner_id`.
    pub what: &'static str,
    /// What it must be.
    pub problem: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $problem:literal, $max:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Box<str>);

        impl $type {
            /// Checks a name.
            ///
            /// # Errors
            /// When it is empty, too long, or has a character that is not allowed.
            pub fn new(name: impl AsRef<str>) -> Result<Self, InvalidName> {
                let name = name.as_ref();
                let valid: fn(usize, u8) -> bool = $valid;
                if name.is_empty() || name.len() > $max || !name.bytes().enumerate().all(|(i, b)| valid(i, b)) {
                    return Err(InvalidName { what: $what, problem: $problem });
                }
                Ok(Self(name.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(name: &str) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(name: String) -> Result<Self, InvalidName> {
                Self::new(name)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.into()
            }
        }
    };
}

name!(
    /// Keeps several installations apart in one Redis.
    Namespace,
    "namespace",
    "must be 1 to 32 of a-z 0-9 _ -, starting with a letter",
    32,
    |i, b| b.is_ascii_lowercase() || (i > 0 && (b.is_ascii_digit() || matches!(b, b'_' | b'-')))
);
name!(
    /// An agent.
    AgentName,
    "agent",
    "must be 1 to 64 of a-z 0-9 _ -, starting with a letter or digit",
    64,
    |i, b| b.is_ascii_lowercase() || b.is_ascii_digit() || (i > 0 && matches!(b, b'_' | b'-'))
);
name!(
    /// Whose task it is; fairness is among owners.
    OwnerId,
    "owner_id",
    "must be 1 to 128 of A-Z a-z 0-9 . _ - @ + = | /",
    128,
    |_, b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@' | b'+' | b'=' | b'|' | b'/')
);
name!(
    /// A worker process; unique per start.
    WorkerId,
    "worker_id",
    "must be 1 to 64 of a-z 0-9 _ . -",
    64,
    |_, b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-')
);
name!(
    /// A webhook of an owner.
    WebhookId,
    "webhook_id",
    "must be wh_ and 1 to 40 of a-z 0-9",
    43,
    |i, b| match i {
        0 => b == b'w',
        1 => b == b'h',
        2 => b == b'_',
        _ => b.is_ascii_lowercase() || b.is_ascii_digit(),
    }
);
name!(
    /// An API key, without its secret.
    KeyId,
    "key_id",
    "must be 1 to 12 of A-Z a-z 0-9",
    12,
    |_, b| b.is_ascii_alphanumeric()
);
/// A slice of a namespace that one Redis slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `<partition>-<ULID in lower case>`: names its partition, and sorts by time of creation inside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId {
    text: Box<str>,
    partition: Partition,
}

impl TaskId {
    /// An id in a partition.
    #[must_use]
    pub fn new(partition: Partition, unique: Ulid) -> Self {
        let text = format!("{partition}-{}", unique.to_string().to_ascii_lowercase());
        Self {
            text: text.into(),
            partition,
        }
    }

    /// The partition that holds the task and all that belongs to it.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.partition
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part that sorts by time.
    #[must_use]
    pub fn unique(&self) -> &str {
        self.text.split_once('-').map_or("", |(_, unique)| unique)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for TaskId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refused = InvalidName {
            what: "task_id",
            problem: "is not a task id: <partition>-<26 characters>",
        };
        let (partition, unique) = text.split_once('-').ok_or_else(|| refused.clone())?;
        let canonical = partition == "0" || !partition.starts_with('0');
        let digits = partition.len() <= 5 && partition.bytes().all(|b| b.is_ascii_digit());
        let lower = unique.len() == 26
            && unique
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase());
        if !canonical || !digits || !lower || Ulid::from_string(unique).is_err() {
            return Err(refused);
        }
        let partition = Partition(partition.parse().map_err(|_| refused)?);
        Ok(Self {
            text: text.into(),
            partition,
        })
    }
}

/// A batch: `<partition>-<ULID in lower case>`. The ids of its members follow from it, so none is stored twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(TaskId);

impl BatchId {
    /// An id in a partition.
    #[must_use]
    pub fn new(partition: Partition, unique: Ulid) -> Self {
        Self(TaskId::new(partition, unique))
    }

    /// The partition that holds the batch and its members.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.0.partition
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part that sorts by time.
    #[must_use]
    pub fn unique(&self) -> &str {
        self.0.unique()
    }

    /// The id of its member with this index, counted from 0.
    #[must_use]
    pub fn member(&self, index: u64) -> TaskId {
        let unique = Ulid::from_string(self.unique()).map_or(0, |ulid| ulid.0);
        let unique = unique.wrapping_add(1 + u128::from(index));
        TaskId::new(self.partition(), Ulid(unique))
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BatchId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse().map(Self).map_err(|_| InvalidName {
            what: "batch_id",
            problem: "is not a batch id: <partition>-<26 characters>",
        })
    }
}

impl From<BatchId> for String {
    fn from(id: BatchId) -> Self {
        id.0.into()
    }
}

impl TryFrom<String> for TaskId {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.text.into()
    }
}

/// 0 (last) to 9 (first).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// What a task has that names none.
    pub const DEFAULT: Self = Self(5);

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = InvalidName;
    fn try_from(n: u8) -> Result<Self, InvalidName> {
        if n > 9 {
            return Err(InvalidName {
                what: "priority",
                problem: "must be 0 to 9",
            });
        }
        Ok(Self(n))
    }
}

impl From<Priority> for u8 {
    fn from(p: Priority) -> Self {
        p.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_break_a_key_are_refused() {
        for bad in [
            "",
            "a}:b",
            "q:*",
            "a\nb",
            "a\0b",
            "a b",
            "{",
            "ü",
            &"x".repeat(10_000),
        ] {
            assert!(OwnerId::new(bad).is_err(), "{bad:?}");
            assert!(AgentName::new(bad).is_err(), "{bad:?}");
            assert!(Namespace::new(bad).is_err(), "{bad:?}");
            assert!(bad.parse::<TaskId>().is_err(), "{bad:?}");
        }
        assert!(OwnerId::new("auth0|Jane.Doe+x@example.org/team=1").is_ok());
    }

    #[test]
    fn members_of_a_batch_have_ids_that_follow_from_it() {
        let batch = BatchId::new(Partition(3), Ulid::from_parts(1_700_000_000_000, 31));
        assert_eq!(batch.member(0).as_str(), "3-01hf7yat000000000000000010");
        assert_eq!(batch.member(99_999).partition(), Partition(3));
        assert!(batch.member(0) < batch.member(1) && batch.member(31) < batch.member(32));
        assert_eq!(batch.as_str().parse::<BatchId>().unwrap(), batch);
    }

    #[test]
    fn a_task_id_names_its_partition() {
        let id = TaskId::new(Partition(13), Ulid::from_parts(1_700_000_000_000, 7));
        assert_eq!(id.as_str().parse::<TaskId>().unwrap(), id);
        assert_eq!(id.partition(), Partition(13));
        for bad in [
            "013-01hf7yat00000000000000000",
            "70000-01hf7yat000000000000000007",
            "1-01HF7YAT000000000000000007",
        ] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_ids() {
        let seeds = [
            "0-01hf7yat000000000000000010",
            "researcher",
            "owner@example.com",
            "0-b01hf7yat000000000000000010",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            let unsafe_in_keys = |shown: &str| shown.contains(['{', '}', '\n', '\0', ' ', '*']);
            if let Ok(id) = text.parse::<TaskId>() {
                assert_eq!(id.to_string(), text);
                assert!(!unsafe_in_keys(text));
            }
            if let Ok(id) = text.parse::<BatchId>() {
                assert_eq!(id.to_string(), text);
                assert!(!unsafe_in_keys(text));
            }
            if let Ok(agent) = text.parse::<AgentName>() {
                assert_eq!(agent.as_str(), text);
                assert!(!unsafe_in_keys(text));
            }
            if let Ok(owner) = text.parse::<OwnerId>() {
                assert_eq!(owner.as_str(), text);
                assert!(!unsafe_in_keys(text));
            }
        });
    }
}
