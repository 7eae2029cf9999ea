//! The end of a run: the answer, how it ended, and what it used.

use std::io;
use std::time::Duration;

use factorial_api::{TaskResult, TaskStatus};
use serde_json::Value;

use super::screen::Screen;
use super::transcript::Transcript;
use crate::commands::show_result;
use crate::error::CliError;
use crate::exit::Exit;
use crate::gateway::Gateway;
use crate::output::{
    Format, Tint, duration, failure_text, plural, result_text, status_tint, usage_text,
};

/// What is known when a task has ended.
pub(super) struct Ending<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) result: &'a TaskResult,
    pub(super) transcript: &'a Transcript,
    /// Text was shown as it came.
    pub(super) streamed: bool,
    pub(super) took: Duration,
}

impl Ending<'_> {
    /// Shows it, and gives the exit code that says the same.
    ///
    /// # Errors
    /// When standard output is closed.
    pub(super) fn show(&self, screen: &mut Screen) -> Result<Exit, CliError> {
        screen.unask();
        if self.gateway.printer.format == Format::Json {
            return show_result(self.gateway, self.result);
        }
        self.tell(screen).map_err(CliError::Output)?;
        Ok(Exit::of(self.result.status))
    }

    fn tell(&self, screen: &mut Screen) -> io::Result<()> {
        screen.end_line()?;
        if !(self.streamed && self.said()) {
            if !self.transcript.text().is_empty() {
                screen.progress(Tint::Plain, "·", "the whole answer:")?;
            }
            self.gateway.printer.write(&result_text(self.result))?;
        }
        let mark = match self.result.status {
            TaskStatus::Completed => "✓",
            _ => "✗",
        };
        screen.progress(status_tint(self.result.status), mark, &self.summary())
    }

    /// How it ended, how long it took and what it used.
    fn summary(&self) -> String {
        let result = self.result;
        let took = duration(self.took);
        let mut parts = vec![format!("{} in {took}", result.status.as_str())];
        if let (Some(failure), TaskStatus::Failed) = (&result.failure, result.status) {
            parts = vec![format!("failed: {}", failure_text(failure))];
        }
        parts.push(plural(self.transcript.turns.into(), "turn"));
        if self.transcript.tool_calls > 0 {
            parts.push(plural(self.transcript.tool_calls.into(), "tool call"));
        }
        parts.push(usage_text(&result.usage));
        parts.join(" · ")
    }

    /// Whether the text that was streamed is the output.
    fn said(&self) -> bool {
        let text = self.transcript.text().trim();
        match &self.result.output {
            Some(Value::String(output)) => output.trim() == text,
            Some(output) => serde_json::from_str::<Value>(text).is_ok_and(|said| said == *output),
            None => true,
        }
    }
}
