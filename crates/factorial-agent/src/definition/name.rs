//! Names of agents.
//!
//! Invariant: a name is safe inside a key, a URL and a metric label.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// `[a-z0-9][a-z0-9_-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentName(String);

/// A name that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an agent name is 1 to 64 of a-z, 0-9, `_` and `-`, and starts with a letter or digit")]
pub struct AgentNameError;

impl AgentName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`AgentNameError`] if it does not match the pattern.
    pub fn new(name: impl Into<String>) -> Result<Self, AgentNameError> {
        let name = name.into();
        let inner =
            |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
        let starts_well = name
            .bytes()
            .next()
            .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        if starts_well && name.len() <= 64 && name.bytes().all(inner) {
            Ok(Self(name))
        } else {
            Err(AgentNameError)
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AgentName {
    type Err = AgentNameError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for AgentName {
    type Error = AgentNameError;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<AgentName> for String {
    fn from(name: AgentName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["a", "0", "weather", "a-b_c9", &"a".repeat(64)] {
            assert!(AgentName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "_a",
            "A",
            "a}:b",
            "q:*",
            "a\nb",
            "ä",
            "a b",
            "a\0",
            &"a".repeat(65),
        ] {
            assert!(AgentName::new(bad).is_err(), "{bad:?}");
        }
    }
}
