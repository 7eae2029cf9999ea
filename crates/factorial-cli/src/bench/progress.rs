//! Shows how far a measurement is: a bar on a terminal, nothing elsewhere.

use std::time::Duration;

use factorial_bench::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Format, Printer};

/// In the terminal's own look; the rest of the line is words.
const BAR: &str = "{bar:32} {percent:>3} %  {msg}  {elapsed_precise}";
/// So that the time goes on; seldom, since drawing takes time from what is measured.
const TICK: Duration = Duration::from_millis(500);

/// The bar, if there is somebody to see it.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new(printer: &Printer) -> Self {
        let seen = printer.streams.stderr_is_terminal && printer.format == Format::Table;
        Self(seen.then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(2);
            let bar = ProgressBar::with_draw_target(Some(1), target);
            // The template is ours, and tested.
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style.progress_chars("█▓░"));
            }
            bar.enable_steady_tick(TICK);
            bar
        }))
    }

    /// Takes the bar away; what comes after says it better.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, steps: u64) {
        if let Some(bar) = &self.0 {
            bar.set_length(steps);
            bar.set_position(0);
            bar.set_message(what.to_owned());
        }
    }

    fn reach(&self, done: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
