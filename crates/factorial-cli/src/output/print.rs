//! Where output goes, in which format and with which colours.

use std::io::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;

use super::paint::Paint;
use crate::config::Streams;

/// Form of what goes to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Tables and text for people
    #[default]
    Table,
    /// One JSON document, in the API's own form
    Json,
}

/// The two output streams of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    pub(crate) format: Format,
    pub(crate) streams: Streams,
    /// For standard output.
    pub(crate) out: Paint,
    /// For standard error.
    pub(crate) err: Paint,
}

impl Printer {
    pub(crate) fn new(format: Format, streams: Streams) -> Self {
        Self {
            format,
            streams,
            out: Paint(streams.stdout_is_terminal && !streams.plain),
            err: Paint(streams.stderr_is_terminal && !streams.plain),
        }
    }

    /// Prints a value: as JSON, or as the text that is made of it.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn print<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(Paint) -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Table => self.write(&text(self.out)),
            Format::Json => {
                let json = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
                self.write(&format!("{json}\n"))
            }
        }
    }

    /// Writes to standard output at once.
    ///
    /// # Errors
    /// When it is closed.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// A line for people, on standard error. One that nobody can read is lost silently.
    pub(crate) fn note(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}
