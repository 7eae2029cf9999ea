//! Shows a run: progress on standard error, text on standard output.
//!
//! Invariant: a line of progress never begins in the middle of a line of text.

use std::io;

use super::transcript::{Cue, Mark};
use crate::output::{Printer, Tint, clean};

/// The terminal, or whatever the streams are.
pub(crate) struct Screen {
    printer: Printer,
    /// Text is shown as it comes.
    streams_text: bool,
    /// The text so far has not ended its line.
    open_line: bool,
}

impl Screen {
    pub(crate) fn new(printer: Printer, streams_text: bool) -> Self {
        Self {
            printer,
            streams_text,
            open_line: false,
        }
    }

    /// Shows one cue.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn show(&mut self, cue: &Cue) -> io::Result<()> {
        match cue {
            Cue::Text(text) => self.text(text),
            Cue::NextTurn => {
                self.end_line()?;
                if self.streams_text {
                    self.printer.write("\n")
                } else {
                    Ok(())
                }
            }
            Cue::Restart(why) => {
                if self.streams_text {
                    self.progress(Tint::Bad, "↻", &format!("{why}; the answer starts anew"))?;
                }
                Ok(())
            }
            Cue::Note(Mark::Started, text) => self.progress(Tint::Busy, "→", text),
            Cue::Note(Mark::Done, text) => self.progress(Tint::Good, "✓", text),
            Cue::Note(Mark::Trouble, text) => self.progress(Tint::Bad, "!", text),
        }
    }

    /// A line of progress.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn progress(&mut self, tint: Tint, mark: &str, text: &str) -> io::Result<()> {
        self.end_line()?;
        let err = self.printer.err;
        let line = format!("{} {}", err.tint(tint, mark), err.tint(Tint::Faint, text));
        self.printer.note(&line);
        Ok(())
    }

    /// Ends the line of text, if it is open.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.open_line) {
            self.printer.write("\n")?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let text = clean(text);
        if !self.streams_text || text.is_empty() {
            return Ok(());
        }
        self.open_line = !text.ends_with('\n');
        self.printer.write(&text)
    }
}
