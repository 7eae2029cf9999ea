//! What the command takes from its surroundings besides settings: the streams' nature, who calls, and where it was
//! started from.
//!
//! The only place of this crate that asks the environment, together with the `env` attributes of `clap`.

use std::io::{self, IsTerminal as _, stderr, stdin, stdout};
use std::path::{Path, PathBuf};

/// The standard streams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    pub(crate) stdin_is_terminal: bool,
    pub(crate) stdout_is_terminal: bool,
    pub(crate) stderr_is_terminal: bool,
    /// Somebody set `NO_COLOR`, or the terminal is a dumb one.
    pub(crate) plain: bool,
    /// Columns of the terminal that standard output is, if it is one.
    pub(crate) width: Option<usize>,
}

impl Streams {
    pub(crate) fn of_process() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            stdin_is_terminal: stdin().is_terminal(),
            stdout_is_terminal: stdout().is_terminal(),
            stderr_is_terminal: stderr().is_terminal(),
            plain: set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            width: terminal_size::terminal_size_of(stdout()).map(|(width, _)| width.0.into()),
        }
    }

    /// Somebody is there who can be asked: questions go to standard error.
    pub(crate) fn can_ask(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal
    }
}

/// The name under which the person at this machine has logged in.
pub(crate) fn login_name() -> Option<String> {
    std::env::var("USER").ok().filter(|name| !name.is_empty())
}

/// The editor that the person wants, as a shell takes it.
pub(crate) fn editor() -> String {
    let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = named("VISUAL").or_else(|| named("EDITOR"));
    named.unwrap_or_else(|| "vi".to_owned())
}

/// The file that this program was started from.
///
/// # Errors
/// When the system does not tell.
pub(crate) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
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
