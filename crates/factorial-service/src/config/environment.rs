//! The process's environment, taken once and passed on.
//!
//! The only place where it is read; tests make their own. Invariant: an empty variable counts as unset.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Variables, and the directory in which `factorial.yaml` is looked for.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    directory: PathBuf,
}

impl Environment {
    /// That of this process, with its working directory.
    #[must_use]
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Self {
            variables,
            directory: PathBuf::new(),
        }
    }

    /// No variables at all, and `directory` to look for `factorial.yaml` in.
    #[must_use]
    pub fn bare(directory: impl Into<PathBuf>) -> Self {
        Self {
            variables: BTreeMap::new(),
            directory: directory.into(),
        }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// A secret that a configuration refers to by the variable's name.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<secrecy::SecretString> {
        self.variable(name)
            .and_then(|value| value.to_str())
            .map(Into::into)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables.get(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn default_file(&self) -> PathBuf {
        self.directory.join("factorial.yaml")
    }
}
