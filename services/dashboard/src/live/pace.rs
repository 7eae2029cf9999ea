//! How fast things may be looked at and sent.

use std::time::Duration;

use tokio::time::Instant;

/// Between two frames of a subscription.
pub(super) const BETWEEN_FRAMES: Duration = Duration::from_millis(250);
/// A client may be sent so much in a second.
const BYTES_A_SECOND: f64 = 1024.0 * 1024.0;
/// What was not sent before may come in one go, up to so much.
const BURST: Duration = Duration::from_secs(2);

/// What a client may still be sent.
pub(super) struct Budget {
    /// When what was sent so far has been worked off.
    settled: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        Self { settled: now }
    }

    /// From when on something may be sent.
    pub(super) fn free_at(&self) -> Instant {
        self.settled.checked_sub(BURST).unwrap_or(self.settled)
    }

    pub(super) fn spend(&mut self, bytes: usize, now: Instant) {
        let takes = Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND);
        self.settled = self.settled.max(now) + takes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_burst_has_to_wait() {
        let now = Instant::now() + Duration::from_secs(10);
        let mut budget = Budget::new(now);
        for _ in 0..20 {
            assert!(budget.free_at() <= now);
            budget.spend(100 * 1024, now);
        }
        for _ in 0..10 {
            budget.spend(1024 * 1024, now);
        }
        let wait = budget.free_at() - now;
        assert!((9.5..10.5).contains(&wait.as_secs_f64()), "{wait:?}");
        let later = now + Duration::from_secs(60);
        budget.spend(1, later);
        assert!(budget.free_at() <= later);
    }
}
