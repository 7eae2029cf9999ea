//! How often a key may ask: a bucket of permits that fills steadily.
//!
//! One for each key in each process. Time is a parameter.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A bucket; it is full at first.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    most: f64,
    state: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// One that gives `per_second` in the long run, and `burst` at once.
    pub(crate) fn new(per_second: f64, burst: Option<u32>, now: Instant) -> Self {
        let most = burst.map_or(2.0 * per_second, f64::from).max(1.0);
        Self {
            per_second,
            most,
            state: Mutex::new((most, now)),
        }
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// How long until there is one.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *state;
        let gained = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        let left = (left + gained).min(self.most);
        if left < 1.0 {
            *state = (left, now);
            return Err(Duration::from_secs_f64((1.0 - left) / self.per_second));
        }
        *state = (left - 1.0, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_steady_rate() {
        let start = Instant::now();
        let bucket = Bucket::new(2.0, Some(3), start);
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(Duration::from_millis(500)));
        let later = start + Duration::from_millis(500);
        assert_eq!(bucket.take(later), Ok(()));
        assert!(bucket.take(later).is_err());
        let much_later = later + Duration::from_secs(3600);
        let given = (0..10).filter(|_| bucket.take(much_later).is_ok()).count();
        assert_eq!(given, 3, "what is not used does not gather");
    }

    #[test]
    fn a_slow_bucket_gives_one_at_a_time() {
        let start = Instant::now();
        let bucket = Bucket::new(0.01, None, start);
        assert_eq!(bucket.take(start), Ok(()));
        assert_eq!(bucket.take(start), Err(Duration::from_secs(100)));
    }
}
