//! What a worker tells a run while it is under way.
//!
//! The worker raises them; the turn loop waits for them beside the model call. A cancelled task or a lost lease needs
//! no signal: the worker drops the run's future.
//! Invariant: an interrupt that is raised after a boundary was read is seen by the model call that follows it.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Interrupt and drain of one run.
#[derive(Debug)]
pub struct Signals {
    interrupts: watch::Sender<u64>,
    drain: CancellationToken,
}

impl Signals {
    /// New signals; `drain` asks the run to stop at the next boundary.
    #[must_use]
    pub fn new(drain: CancellationToken) -> Self {
        Self {
            interrupts: watch::Sender::new(0),
            drain,
        }
    }

    /// Aborts the open model call; the run takes its steering messages and goes on.
    pub fn interrupt(&self) {
        self.interrupts
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The token that asks the run to hand back.
    #[must_use]
    pub fn drain(&self) -> &CancellationToken {
        &self.drain
    }

    /// Interrupts raised so far.
    pub(crate) fn interrupts(&self) -> u64 {
        *self.interrupts.borrow()
    }

    /// Returns once there are other interrupts than `seen`.
    pub(crate) async fn interrupted_since(&self, seen: u64) {
        let mut receiver = self.interrupts.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = receiver.wait_for(|count| *count != seen).await;
    }
}
