//! How long to wait before the next attempt.
//!
//! Called by the worker after a retryable [`crate::Failure`]; pure: the random number is a parameter.
//! Invariant: a delay is never shorter than what the provider asked for, up to an hour.

use std::time::Duration;

/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Capped exponential backoff with full jitter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first attempt.
    pub max_retries: u32,
    /// Upper bound of the first delay.
    pub base: Duration,
    /// Upper bound of every delay.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 5,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The delay before the retry that follows `retries_so_far` earlier ones.
    ///
    /// `random in [0, min(cap, base * 2^retries_so_far))`, "full jitter" of Marc Brooker, "Exponential Backoff And
    /// Jitter", AWS Architecture Blog, 2015. `rng_unit` is uniform in `[0, 1)`. A `retry_after` is the minimum; the
    /// jitter is added to it, so that clients that were told the same time do not come back together.
    #[must_use]
    pub fn delay(
        &self,
        retries_so_far: u32,
        retry_after: Option<Duration>,
        rng_unit: f64,
    ) -> Duration {
        let factor = 2f64.powi(retries_so_far.min(62).cast_signed());
        let bound = (self.base.as_secs_f64() * factor).min(self.cap.as_secs_f64());
        let unit = if rng_unit.is_finite() {
            rng_unit.clamp(0.0, 1.0)
        } else {
            1.0
        };
        let jitter = Duration::try_from_secs_f64(bound * unit).unwrap_or(self.cap);
        match retry_after {
            Some(asked) => asked.min(MAX_RETRY_AFTER).saturating_add(jitter),
            None => jitter,
        }
    }

    /// Whether a failure after `retries_so_far` retries gets another one.
    #[must_use]
    pub const fn allows(&self, retries_so_far: u32) -> bool {
        retries_so_far < self.max_retries
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        max_retries: 5,
        base: Duration::from_secs(1),
        cap: Duration::from_secs(60),
    };

    #[test]
    fn bounds_double_up_to_the_cap() {
        let bounds: Vec<u64> = (0..8)
            .map(|n| POLICY.delay(n, None, 1.0).as_secs())
            .collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(POLICY.delay(3, None, 0.0), Duration::ZERO);
    }

    #[test]
    fn retry_after_is_a_minimum_of_at_most_an_hour() {
        assert_eq!(
            POLICY.delay(0, Some(Duration::from_secs(7)), 0.0),
            Duration::from_secs(7)
        );
        assert_eq!(
            POLICY.delay(0, Some(Duration::from_secs(90_000)), 0.0),
            MAX_RETRY_AFTER
        );
    }

    proptest! {
        #[test]
        fn never_below_the_request_nor_above_the_cap(retries in 0u32.., asked in proptest::option::of(0u64..10_000), unit in proptest::num::f64::ANY) {
            let asked = asked.map(Duration::from_secs);
            let floor = asked.unwrap_or_default().min(MAX_RETRY_AFTER);
            let delay = POLICY.delay(retries, asked, unit);
            prop_assert!(delay >= floor && delay <= floor + POLICY.cap);
        }
    }
}
