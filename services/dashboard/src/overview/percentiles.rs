//! Percentiles of durations from a histogram.

use std::collections::BTreeMap;

use factorial_api::Percentiles;

/// Slot -> tasks, two slots per octave: slot k holds 2^(k/2) to 2^((k+1)/2) ms, slot 0 all below.
type Histogram = BTreeMap<u8, u64>;

/// Of a histogram. The source of the formula is `histogram_quantile` of Prometheus: the slot that holds the rank is found by
/// summing up from below, and inside it the tasks are taken to be spread evenly.
pub(super) fn percentiles(slots: &Histogram) -> Percentiles {
    Percentiles {
        count: slots.values().sum(),
        p50_ms: quantile(slots, 0.5),
        p95_ms: quantile(slots, 0.95),
        p99_ms: quantile(slots, 0.99),
    }
}

fn quantile(slots: &Histogram, q: f64) -> Option<f64> {
    let count: u64 = slots.values().sum();
    let rank = q * count as f64;
    let mut below = 0.0;
    let mut found = None;
    for (slot, tasks) in slots {
        if *tasks == 0 {
            continue;
        }
        let tasks = *tasks as f64;
        let (from, to) = bounds(*slot);
        found = Some(from + (to - from) * ((rank - below) / tasks).clamp(0.0, 1.0));
        below += tasks;
        if below >= rank {
            break;
        }
    }
    // A tenth of a ms is more than a histogram knows.
    found.map(|ms| (ms * 10.0).round() / 10.0)
}

fn bounds(slot: u8) -> (f64, f64) {
    let bound = |k: u8| 2f64.powf(f64::from(k) / 2.0);
    let from = if slot == 0 { 0.0 } else { bound(slot) };
    (from, bound(slot.saturating_add(1)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(percentiles(&Histogram::new()), Percentiles::default());
        assert_eq!(percentiles(&[(7, 0)].into()), Percentiles::default());
    }

    #[test]
    fn they_are_interpolated_inside_a_slot() {
        // Slot 20 holds 1,024 to 1,448 ms.
        let all_in_one = percentiles(&[(20, 100)].into());
        assert_eq!(all_in_one.count, 100);
        assert!(
            (all_in_one.p50_ms.unwrap() - 1236.1).abs() < 0.2,
            "{all_in_one:?}"
        );
        // 90 of 100 in slot 20, the rest in slot 30 of 32.8 to 46.3 s.
        let split = percentiles(&[(20, 90), (30, 10)].into());
        assert!(
            (1024.0..1448.2).contains(&split.p50_ms.unwrap()),
            "{split:?}"
        );
        assert!(
            (32_768.0..46_341.0).contains(&split.p95_ms.unwrap()),
            "{split:?}"
        );
        assert!(split.p95_ms < split.p99_ms);
    }

    #[test]
    fn a_value_is_off_by_a_fifth_at_most() {
        let slot = |ms: f64| (2.0 * ms.log2()).floor() as u8;
        for ms in [2.0, 3.0, 17.0, 250.0, 9_999.0, 3_600_000.0] {
            let found = quantile(&[(slot(ms), 1_000)].into(), 0.5).unwrap();
            assert!((found / ms - 1.0).abs() < 0.21, "{ms}: {found}");
        }
    }

    #[test]
    fn the_lowest_slot_begins_at_nothing() {
        assert_eq!(quantile(&[(0, 10)].into(), 0.5), Some(0.7));
    }
}
