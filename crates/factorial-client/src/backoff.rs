//! When to try again: capped exponential backoff with full jitter, and never before the server's `Retry-After`.

use std::time::Duration;

/// A server that asks for more is not waited for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How failures are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries of a request, the first one included; 1 means never again.
    pub tries: u32,
    /// Tries of an event stream in a row that brought no event.
    pub stream_tries: u32,
    /// Upper bound of the first delay.
    pub first: Duration,
    /// Upper bound of every delay.
    pub most: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 5,
            stream_tries: 30,
            first: Duration::from_millis(100),
            most: Duration::from_secs(5),
        }
    }
}

impl RetryPolicy {
    /// Everything is tried once.
    #[must_use]
    pub fn never() -> Self {
        Self {
            tries: 1,
            stream_tries: 1,
            ..Self::default()
        }
    }

    /// Delay after so many failures (from 1); `jitter` is 0 to 1. `None` when the server asks for too much.
    pub(crate) fn delay(
        &self,
        failures: u32,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        let bound = self.first.saturating_mul(doubled).min(self.most);
        let delay = bound.mul_f64(jitter.clamp(0.0, 1.0));
        match retry_after {
            Some(asked) if asked > LONGEST_RETRY_AFTER => None,
            Some(asked) => Some(asked + delay),
            None => Some(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_the_cap_and_respects_the_server() {
        let policy = RetryPolicy::default();
        let ms = |failures, retry_after, jitter| {
            let delay = policy.delay(failures, retry_after, jitter);
            delay.map(|delay| delay.as_millis())
        };
        let grown: Vec<_> = [1, 2, 3, 7, 200].map(|n| ms(n, None, 1.0)).into();
        assert_eq!(
            grown,
            [Some(100), Some(200), Some(400), Some(5000), Some(5000)]
        );
        assert_eq!(ms(3, None, 0.0), Some(0));
        let second = Some(Duration::from_secs(1));
        assert_eq!(ms(1, second, 0.5), Some(1050));
        assert_eq!(ms(1, Some(Duration::from_secs(31)), 0.5), None);
    }
}
