//! What is waited for, as a key.
//!
//! Invariant: one wait has one text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is waited for, unique in a task. As text `call`, `a:call` and `call/index`; a call id is 1 to 64 of letters,
/// digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WaitKey {
    /// The result of the deferred call of this id.
    Call(String),
    /// The approval of the call of this id.
    Approval(String),
    /// The child task of this index, counted from 0, of the call of this id.
    Child(String, u32),
}

/// A text that is no wait key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a wait key is a call id, `a:` and a call id, or a call id, `/` and an index")]
pub struct WaitKeyError;

impl WaitKey {
    /// The tool call that it belongs to.
    #[must_use]
    pub fn call_id(&self) -> &str {
        match self {
            Self::Call(call) | Self::Approval(call) | Self::Child(call, _) => call,
        }
    }
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
    type Err = WaitKeyError;

    fn from_str(text: &str) -> Result<Self, WaitKeyError> {
        let call = |call: &str| {
            let well_formed = (1..=64).contains(&call.len())
                && call
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'));
            well_formed.then(|| call.to_owned()).ok_or(WaitKeyError)
        };
        if let Some(rest) = text.strip_prefix("a:") {
            Ok(Self::Approval(call(rest)?))
        } else if let Some((rest, index)) = text.split_once('/') {
            let number: u32 = index.parse().map_err(|_| WaitKeyError)?;
            // One child has one key: neither `+1` nor `01`.
            if number.to_string() != index {
                return Err(WaitKeyError);
            }
            Ok(Self::Child(call(rest)?, number))
        } else {
            Ok(Self::Call(call(text)?))
        }
    }
}

impl TryFrom<String> for WaitKey {
    type Error = WaitKeyError;
    fn try_from(text: String) -> Result<Self, WaitKeyError> {
        text.parse()
    }
}

impl From<WaitKey> for String {
    fn from(key: WaitKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for (key, text) in [
            (WaitKey::Call("c-1_a".into()), "c-1_a"),
            (WaitKey::Approval("c".into()), "a:c"),
            (WaitKey::Child("c".into(), 12), "c/12"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse(), Ok(key));
        }
        for bad in [
            "",
            "a:",
            "c/",
            "c/01",
            "c/+1",
            "c/x",
            "a:c/1",
            "c d",
            "/1",
            &"x".repeat(65),
        ] {
            assert_eq!(WaitKey::from_str(bad), Err(WaitKeyError), "{bad:?}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_wait_key() {
        factorial_fuzz::texts(&["call_1", "a:call-1", "call_1/17"], |text| {
            if let Ok(key) = text.parse::<WaitKey>() {
                assert_eq!(key.to_string().parse::<WaitKey>(), Ok(key));
            }
        });
    }
}
