//! Lines that a person types, without holding up anything else.
//!
//! A thread reads them, since a read of a terminal cannot be given up; it ends with the process. Invariant: only what
//! was typed after [`Lines::forget`] comes.

use std::io::{self, BufRead as _};
use std::thread;

use rustix::termios::{QueueSelector, tcflush};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What comes from standard input.
pub(super) struct Lines(UnboundedReceiver<String>);

impl Lines {
    /// Begins to read.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start() -> io::Result<Self> {
        // What was typed before the first question is no answer to it. On anything but a terminal this fails, rightly.
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        let (sender, receiver) = unbounded_channel();
        thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || {
                for line in io::stdin().lock().lines() {
                    let Ok(line) = line else { return };
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self(receiver))
    }

    /// The next line; nothing when there are no more.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }

    /// Drops what was typed so far.
    pub(super) fn forget(&mut self) {
        while self.0.try_recv().is_ok() {}
    }
}
