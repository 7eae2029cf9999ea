//! What the command takes from its surroundings besides settings: the streams' nature, and where it was started from.
//!
//! The only place of this crate that asks the environment, together with the `env` attributes of `clap`.

use std::io::{IsTerminal as _, stderr, stdout};
use std::path::{Path, PathBuf};

/// The standard streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    /// Somebody set `NO_COLOR`, or the terminal is a dumb one.
    pub(crate) plain: bool,
}

impl Streams {
    pub(crate) fn of_process() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            stdout_is_terminal: stdout().is_terminal(),
            stderr_is_terminal: stderr().is_terminal(),
            plain: set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}

/// How to call this program again from `directory`: by its name if that finds it, else by a path.
pub(crate) fn own_command(directory: &Path) -> String {
    let Ok(own) = std::env::current_exe() else {
        return "factorial".to_owned();
    };
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let own = real(own);
    if which::which("factorial").is_ok_and(|found| real(found) == own) {
        return "factorial".to_owned();
    }
    let text = match own.strip_prefix(real(directory.to_owned())) {
        Ok(below) => format!("./{}", below.display()),
        Err(_) => own.display().to_string(),
    };
    quoted(&text)
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | '=');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(
            quoted("./target/debug/factorial"),
            "./target/debug/factorial"
        );
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
