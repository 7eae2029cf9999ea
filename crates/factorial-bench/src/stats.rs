//! Medians and percentiles.
//!
//! Invariant: nothing here panics on an empty list; its figures are 0.

use std::time::Duration;

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    }
}

/// The smallest value that is not below `share` (0 to 1) of them: nearest rank.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let sorted = sorted(values);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank in a list"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// In milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A count as a figure.
#[expect(
    clippy::cast_precision_loss,
    reason = "figures do not need more digits than a double has"
)]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

/// How much of something there is for each of so many.
pub(crate) fn each(amount: f64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        amount / number(count)
    }
}

/// So many in that time, by the second.
pub(crate) fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        number(count) / seconds
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn medians_and_percentiles_are_values_of_the_list() {
        assert!(same(median(&[3.0, 1.0, 2.0]), 2.0));
        assert!(same(median(&[4.0, 1.0, 2.0, 3.0]), 2.5));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!(same(percentile(&hundred, 0.5), 50.0));
        assert!(same(percentile(&hundred, 0.99), 99.0));
        assert!(same(percentile(&hundred, 1.0), 100.0));
        assert!(same(percentile(&[7.0], 0.99), 7.0));
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(same(median(&[]), 0.0));
        assert!(same(percentile(&[], 0.5), 0.0));
        assert!(same(each(5.0, 0), 0.0));
        assert!(same(rate(5, 0.0), 0.0));
    }
}
