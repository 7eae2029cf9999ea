//! I10: counters are the numbers that they count; a wake list holds one token at most.

use std::collections::BTreeMap;

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    let mut real: BTreeMap<String, i64> = BTreeMap::new();
    for task in partition.tasks.values() {
        *real
            .entry(format!("{}:{}", task.text("agent"), task.text("state")))
            .or_default() += 1;
    }
    let mut stored: BTreeMap<String, i64> = BTreeMap::new();
    for (name, amount) in &partition.counts {
        match amount.parse::<i64>() {
            Ok(0) => {}
            Ok(amount) => {
                stored.insert(name.clone(), amount);
            }
            Err(_) => report.add(Rule::Counts, name, format!("counter is {amount:?}")),
        }
    }
    report.same(
        Rule::Counts,
        "tasks by agent and state",
        "the hash",
        stored,
        real,
    );
    for (agent, tokens) in &partition.wakes {
        if tokens.len() > 1 {
            report.add(
                Rule::Counts,
                agent,
                format!("{} tokens in its wake list", tokens.len()),
            );
        }
    }
    batches(partition, report);
}

/// A batch counts its members for longer than they are kept.
fn batches(partition: &PartitionView, report: &mut Report) {
    for task in partition.tasks.values() {
        let batch = task.text("batch");
        if !batch.is_empty() && !partition.batches.contains_key(batch) {
            report.add(Rule::Counts, batch, "a member without its batch");
        }
    }
    for (batch, counters) in &partition.batches {
        let kept = |state: Option<&str>| {
            let members = partition
                .tasks
                .values()
                .filter(|t| t.text("batch") == batch);
            members
                .filter(|t| state.is_none_or(|s| t.text("state") == s))
                .count() as u64
        };
        let stored = |name: &str| {
            counters
                .get(name)
                .and_then(|v| v.parse::<u64>().ok())
                .unwrap_or(0)
        };
        for (name, real) in [
            ("members", kept(None)),
            ("completed", kept(Some("completed"))),
            ("failed", kept(Some("failed"))),
            ("cancelled", kept(Some("cancelled"))),
        ] {
            if stored(name) < real {
                report.add(
                    Rule::Counts,
                    batch,
                    format!("{name} says {}, at least {real} are kept", stored(name)),
                );
            }
        }
        let ended = stored("completed") + stored("failed") + stored("cancelled");
        if ended > stored("members") {
            report.add(Rule::Counts, batch, "more members have ended than it has");
        }
    }
}
