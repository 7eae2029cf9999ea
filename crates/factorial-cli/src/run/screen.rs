//! Shows a run: progress and questions on standard error, text on standard output.
//!
//! Invariant: a line of progress never begins in the middle of a line of text or of a question, and an open question is
//! on the last line.

use std::io::{self, Write as _};

use super::transcript::Mark;
use crate::output::{Printer, Tint, clean};

/// The terminal, or whatever the streams are.
pub(crate) struct Screen {
    printer: Printer,
    /// Text is shown as it comes.
    streams_text: bool,
    /// The text so far has not ended its line.
    open_line: bool,
    /// The question that the person is asked.
    question: Option<&'static str>,
    /// It is on the last line, with what the person has typed.
    question_shown: bool,
}

impl Screen {
    pub(crate) fn new(printer: Printer, streams_text: bool) -> Self {
        Self {
            printer,
            streams_text,
            open_line: false,
            question: None,
            question_shown: false,
        }
    }

    /// A line that tells what happened.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn tell(&mut self, mark: Mark, text: &str) -> io::Result<()> {
        let (tint, mark) = match mark {
            Mark::Started => (Tint::Busy, "→"),
            Mark::Done => (Tint::Good, "✓"),
            Mark::Trouble => (Tint::Bad, "!"),
            Mark::Deferred => (Tint::Busy, "…"),
            Mark::Aside => (Tint::Plain, "·"),
        };
        self.progress(tint, mark, text)
    }

    /// Text of another turn follows.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn next_turn(&mut self) -> io::Result<()> {
        self.end_line()?;
        if self.streams_text {
            self.printer.write("\n")?;
        }
        Ok(())
    }

    /// The text shown since the turn began is void; why.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn restart(&mut self, why: &str) -> io::Result<()> {
        if self.streams_text {
            self.progress(Tint::Bad, "↻", &format!("{why}; the answer starts anew"))?;
        }
        Ok(())
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
        self.show_question();
        Ok(())
    }

    /// Whole lines on standard error, as they are.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn plain(&mut self, lines: &str) -> io::Result<()> {
        self.end_line()?;
        self.printer.note(lines.trim_end_matches('\n'));
        self.show_question();
        Ok(())
    }

    /// Ends the line of text or the question, if one is open.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn end_line(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.question_shown) {
            self.printer.note("");
        }
        if std::mem::take(&mut self.open_line) {
            self.printer.write("\n")?;
        }
        Ok(())
    }

    /// Puts a question on the last line.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn ask(&mut self, question: &'static str) -> io::Result<()> {
        self.end_line()?;
        self.question = Some(question);
        self.show_question();
        Ok(())
    }

    /// The person has ended the line of the question.
    pub(crate) fn heard(&mut self) {
        self.question = None;
        self.question_shown = false;
    }

    /// The question is decided otherwise.
    pub(crate) fn unask(&mut self) {
        self.question = None;
        if std::mem::take(&mut self.question_shown) {
            self.printer.note("");
        }
    }

    /// More of the model's text.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        let text = clean(text);
        if !self.streams_text || text.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.question_shown) {
            self.printer.note("");
        }
        self.printer.write(&text)?;
        self.open_line = !text.ends_with('\n');
        if !self.open_line {
            self.show_question();
        }
        Ok(())
    }

    /// Nobody reads a question that cannot be written.
    fn show_question(&mut self) {
        if let Some(question) = self.question
            && !self.question_shown
        {
            let mut err = io::stderr().lock();
            let _ = err.write_all(question.as_bytes());
            let _ = err.flush();
            self.question_shown = true;
        }
    }
}
