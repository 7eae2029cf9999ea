//! I8: each accepted steering message was applied, waits, or was reported as failed.

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        let sum = |name: &str, field: &str| -> u64 {
            task.events
                .iter()
                .filter(|e| e.name == name)
                .map(|e| e.number(field))
                .sum()
        };
        let waiting = task.inbox.len() as u64;
        report.same(
            Rule::Steering,
            id,
            "steering",
            task.number("steering").unsigned_abs(),
            waiting,
        );
        let accepted = sum("run_steering_accepted", "count");
        let applied = sum("run_steering_applied", "count");
        let failed = sum("run_steering_failed", "pending");
        report.same(
            Rule::Steering,
            id,
            "accepted",
            accepted,
            applied + waiting + failed,
        );
        if task.has_ended() && waiting > 0 {
            report.add(Rule::Steering, id, "has ended, and messages still wait");
        }
        let entries = task
            .log
            .iter()
            .filter(|e| e.starts_with(r#"{"t":"steer""#))
            .count() as u64;
        // A conversation that goes on has those of the tasks before it as well.
        if entries < applied || (entries > applied && !task.fields.contains_key("previous")) {
            report.add(
                Rule::Steering,
                id,
                format!("{applied} applied, {entries} in the conversation"),
            );
        }
    }
}
