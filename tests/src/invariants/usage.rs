//! I7: usage on a task is the sum over its committed replies, and its bytes are those of its conversation.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

/// Names in the event, in the order of the stored total.
const PARTS: [&str; 4] = [
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
];

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        let mut sums: BTreeMap<String, [u64; 4]> = BTreeMap::new();
        let mut cost = 0;
        for event in &task.events {
            if event.name != "cc" {
                continue;
            }
            let model = event
                .data
                .get("model")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let sum = sums.entry(model.to_owned()).or_default();
            for (total, part) in sum.iter_mut().zip(PARTS) {
                *total += event
                    .data
                    .get("usage")
                    .and_then(|u| u.get(part))
                    .and_then(Value::as_u64)
                    .unwrap_or(0);
            }
            cost += event.number("cost_usd_micros");
        }
        let stored: BTreeMap<String, [u64; 4]> = task
            .fields
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("u:")?.to_owned(), read(value))))
            .collect();
        report.same(Rule::Usage, id, "usage", stored, sums);
        report.same(
            Rule::Usage,
            id,
            "cost",
            task.number("cost").unsigned_abs(),
            cost,
        );
        let bytes: usize = task.log.iter().map(String::len).sum();
        report.same(
            Rule::Usage,
            id,
            "bytes",
            task.number("bytes").unsigned_abs(),
            bytes as u64,
        );
    }
}

fn read(value: &str) -> [u64; 4] {
    let mut parts = value.split(' ').map(|n| n.parse().unwrap_or(u64::MAX));
    std::array::from_fn(|_| parts.next().unwrap_or(u64::MAX))
}
