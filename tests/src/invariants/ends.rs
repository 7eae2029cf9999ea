//! I2: each run of a task ends once; only an operator's retry begins another.

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        let mut ended: Option<&str> = None;
        for (i, event) in task.events.iter().enumerate() {
            if ended.is_some() && !event.is_operator_retry() {
                report.add(
                    Rule::EndsOnce,
                    id,
                    format!("event {} [{i}] after its end", event.name),
                );
            }
            if ended.is_none() && event.is_operator_retry() {
                report.add(
                    Rule::EndsOnce,
                    id,
                    format!("retried by an operator [{i}] before its end"),
                );
            }
            if event.is_terminal() {
                ended = Some(&event.name);
            } else if event.is_operator_retry() {
                ended = None;
            }
        }
        let expected = if task.has_ended() {
            format!("run_{}", task.text("state"))
        } else {
            String::new()
        };
        report.same(
            Rule::EndsOnce,
            id,
            "state",
            expected.as_str(),
            ended.unwrap_or_default(),
        );
        // Until it ends, a task keeps the failure of its last backoff.
        if task.has_ended() {
            let (stored, real) = (
                task.fields.contains_key("failure"),
                task.text("state") == "failed",
            );
            report.same(Rule::EndsOnce, id, "field failure", stored, real);
        }
        let output = task
            .log
            .last()
            .is_some_and(|e| e.starts_with(r#"{"t":"output""#));
        report.same(
            Rule::EndsOnce,
            id,
            "its output",
            output,
            task.text("state") == "completed",
        );
    }
}
