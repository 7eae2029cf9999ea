//! What a window comes to.

use std::collections::BTreeMap;

use factorial_api::{Activity, WindowModelUse, WindowTotals};
use factorial_core::{Bucket, ModelUse};

/// A window: slices of the same width, oldest first.
pub(super) struct Slices {
    pub(super) width_ms: u64,
    pub(super) slices: Vec<Bucket>,
}

impl Slices {
    /// One bucket of all of them.
    pub(super) fn sum(&self) -> Bucket {
        let mut sum = Bucket::default();
        for slice in &self.slices {
            sum.merge(slice);
        }
        sum
    }

    /// Adds another one of the same times.
    pub(super) fn merge(&mut self, other: &Self) {
        for (slice, theirs) in self.slices.iter_mut().zip(&other.slices) {
            slice.merge(theirs);
        }
    }

    pub(super) fn activity(&self) -> Activity {
        let of = |name: &str| self.slices.iter().map(|s| count(s, name)).collect();
        let tokens = |of: fn(&ModelUse) -> u64| {
            let slices = self.slices.iter();
            slices.map(|s| s.models.values().map(of).sum()).collect()
        };
        Activity {
            bucket_seconds: self.width_ms / 1000,
            starts: self.slices.iter().map(|s| s.start_ms / 1000).collect(),
            enqueued: of("enqueued"),
            completed: of("completed"),
            failed: of("failed"),
            cancelled: of("cancelled"),
            retried: of("retried"),
            input_tokens: tokens(|used| used.input),
            output_tokens: tokens(|used| used.output),
        }
    }
}

fn count(bucket: &Bucket, name: &str) -> u64 {
    bucket.counts.get(name).copied().unwrap_or(0)
}

pub(super) fn totals(sum: &Bucket) -> WindowTotals {
    WindowTotals {
        enqueued: count(sum, "enqueued"),
        completed: count(sum, "completed"),
        failed: count(sum, "failed"),
        cancelled: count(sum, "cancelled"),
        retried: count(sum, "retried"),
        recovered: count(sum, "recovered"),
    }
}

/// completed / (completed + failed): who cancels a task says nothing of how it went.
pub(super) fn success_rate(totals: &WindowTotals) -> Option<f64> {
    let ended = totals.completed + totals.failed;
    (ended > 0).then(|| totals.completed as f64 / ended as f64)
}

pub(super) fn models(used: &BTreeMap<String, ModelUse>) -> Vec<WindowModelUse> {
    used.iter()
        .map(|(model, used)| WindowModelUse {
            model: model.clone(),
            input_tokens: used.input,
            output_tokens: used.output,
            cost_usd_micros: used.cost_micros,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(start_ms: u64, completed: u64, failed: u64) -> Bucket {
        Bucket {
            start_ms,
            counts: [("completed", completed), ("failed", failed)]
                .map(|(name, n)| (name.to_owned(), n))
                .into(),
            models: [(
                "m".to_owned(),
                ModelUse {
                    input: completed,
                    output: 1,
                    cost_micros: None,
                },
            )]
            .into(),
            ..Bucket::default()
        }
    }

    #[test]
    fn windows_are_summed_up() {
        let mut all = Slices {
            width_ms: 60_000,
            slices: vec![slice(0, 3, 0), slice(60_000, 0, 1)],
        };
        let other = Slices {
            width_ms: 60_000,
            slices: vec![slice(0, 1, 0), slice(60_000, 5, 0)],
        };
        all.merge(&other);
        let activity = all.activity();
        assert_eq!(activity.starts, [0, 60]);
        assert_eq!(activity.completed, [4, 5]);
        assert_eq!(activity.input_tokens, [4, 5]);
        assert_eq!(activity.output_tokens, [2, 2]);
        let sum = all.sum();
        assert_eq!(success_rate(&totals(&sum)), Some(0.9));
        assert_eq!(models(&sum.models)[0].input_tokens, 9);
        assert_eq!(success_rate(&WindowTotals::default()), None);
    }
}
