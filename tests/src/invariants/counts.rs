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
}
