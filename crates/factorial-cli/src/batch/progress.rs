//! Shows how far a batch is: a bar on a terminal, a line every ten percent elsewhere.

use std::time::Duration;

use factorial_api::{Batch, BatchEvent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use crate::output::{Format, Printer};

/// In the terminal's own look; the rest of the line is words.
const BAR: &str = "{bar:32} {percent:>3} %  {msg}  {elapsed_precise}";
/// Between two lines, where there is no bar.
const STEP: u64 = 10;
/// So that the time goes on.
const TICK: Duration = Duration::from_millis(500);

/// What is shown of a batch.
pub(super) struct Progress {
    printer: Printer,
    bar: Option<ProgressBar>,
    /// Percent of the last line.
    last: Option<u64>,
}

impl Progress {
    pub(super) fn new(printer: Printer, batch: &Batch) -> Self {
        let on_terminal = printer.streams.stderr_is_terminal && printer.format == Format::Table;
        let bar = on_terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::stderr());
            // The template is ours, and tested.
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style.progress_chars("█▓░"));
            }
            bar.set_message(format!("0 of {}", batch.members));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self {
            printer,
            bar,
            last: None,
        }
    }

    /// Shows an event.
    pub(super) fn show(&mut self, event: &BatchEvent) {
        let number = |name: &str| event.data.get(name).and_then(Value::as_u64).unwrap_or(0);
        let percent = number("progress");
        let words = words(
            number("members"),
            [number("completed"), number("failed"), number("cancelled")],
        );
        if let Some(bar) = &self.bar {
            bar.set_position(percent);
            bar.set_message(words);
            return;
        }
        let due = self.last.is_none_or(|last| percent / STEP > last / STEP);
        if due && event.event_type == "batch_progress" {
            self.last = Some(percent);
            self.printer.note(&format!("{percent:>3} %  {words}"));
        }
    }

    /// A line of its own.
    pub(super) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.note(line)),
            None => self.printer.note(line),
        }
    }

    /// Takes the bar away; what comes after says it better.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(members: u64, ended: [u64; 3]) -> String {
    let [completed, failed, cancelled] = ended;
    let done = completed + failed + cancelled;
    let mut text = format!("{done} of {members}");
    for (n, what) in [(failed, "failed"), (cancelled, "cancelled")] {
        if n > 0 {
            text.push_str(&format!(", {n} {what}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }

    #[test]
    fn what_went_wrong_is_said() {
        assert_eq!(words(10, [4, 0, 0]), "4 of 10");
        assert_eq!(words(10, [4, 2, 1]), "7 of 10, 2 failed, 1 cancelled");
    }
}
