//! What is wrong with a configuration, told all at once.
//!
//! Filled by the loader, printed by the binaries. Invariant: the value of a secret never gets in here.

use std::fmt;
use std::path::PathBuf;

/// Where a value, or the lack of one, comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A command-line flag, with its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A key of the configuration file.
    Key {
        /// The file, as it was named.
        path: PathBuf,
        /// One-based line; 0 when it is not known.
        line: u64,
        /// Dotted key; empty for the file as a whole.
        key: String,
    },
    /// A rule over several settings, or a default: the dotted key of the first one.
    Setting(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Setting(key) => write!(f, "setting {key}"),
            Self::Key { path, line, key } => {
                write!(f, "{}", path.display())?;
                if *line > 0 {
                    write!(f, ":{line}")?;
                }
                if !key.is_empty() {
                    write!(f, ": key {key}")?;
                }
                Ok(())
            }
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct ConfigProblem {
    /// Where to mend it.
    pub origin: Origin,
    /// What is wrong, with the offending value unless that is a secret.
    pub message: String,
}

/// Every mistake of one configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigProblem>);

impl ConfigErrors {
    /// Exit code of a process that refuses its configuration: `EX_USAGE` of sysexits(3).
    pub const EXIT_CODE: u8 = 64;

    pub(crate) fn new(problems: Vec<ConfigProblem>) -> Self {
        Self(problems)
    }

    /// The mistakes, in the order of the settings.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "{count} {noun} in the configuration:")?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}
