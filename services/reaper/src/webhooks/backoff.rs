//! When a delivery is tried again: after up to 5 s, 5 min, 30 min, 2 h, 5 h and 10 h, with full jitter, and then not any more.

use std::time::Duration;

/// Longest wait after each failed try.
const WAITS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
];
/// Nothing is tried for longer, whatever its receiver asks for.
const LONGEST: Duration = Duration::from_hours(24);

/// How long to wait after so many failed tries; `None`: it is given up.
///
/// `age`: since the event; `retry_after`: what the receiver asked for; `random`: 0 to 1.
pub(super) fn wait(
    failed: u32,
    age: Duration,
    retry_after: Option<Duration>,
    random: f64,
) -> Option<Duration> {
    let longest = usize::try_from(failed)
        .ok()
        .and_then(|failed| WAITS.get(failed.checked_sub(1)?))?;
    let wait = longest.mul_f64(random.clamp(0.0, 1.0));
    let wait = wait.max(retry_after.unwrap_or_default());
    (age.saturating_add(wait) <= LONGEST).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Duration = Duration::ZERO;

    #[test]
    fn it_is_tried_seven_times() {
        let longest: Vec<_> = (1..=7).map(|n| wait(n, NEW, None, 1.0)).collect();
        let expected: Vec<_> = WAITS.into_iter().map(Some).chain([None]).collect();
        assert_eq!(longest, expected);
        assert_eq!(wait(2, NEW, None, 0.5), Some(Duration::from_secs(150)));
        assert_eq!(wait(u32::MAX, NEW, None, 0.0), None);
    }

    #[test]
    fn the_receiver_may_ask_for_more_time_but_not_for_more_than_a_day() {
        let minute = Duration::from_mins(1);
        assert_eq!(wait(1, NEW, Some(minute), 1.0), Some(minute));
        assert_eq!(wait(2, NEW, Some(minute), 1.0), Some(5 * minute));
        assert_eq!(wait(1, NEW, Some(LONGEST), 0.0), Some(LONGEST));
        assert_eq!(wait(1, minute, Some(LONGEST), 0.0), None);
        assert_eq!(wait(1, NEW, Some(Duration::MAX), 0.0), None);
        assert_eq!(wait(1, LONGEST, None, 1.0), None);
    }
}
