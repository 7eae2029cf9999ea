//! I5: no key outlives its task.

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for id in &partition.without_hash {
        report.add(Rule::Belongings, id, "has keys, but no hash");
    }
    for (id, task) in &partition.tasks {
        if task.log.is_empty() {
            report.add(Rule::Belongings, id, "has no conversation");
        }
        if task.events.is_empty() && task.fields.contains_key("attempts") {
            report.add(Rule::Belongings, id, "was claimed, and has no events");
        }
        if task.events.iter().any(|e| e.name == "task_enqueued") {
            report.add(
                Rule::Events,
                id,
                "stores task_enqueued, which its record says",
            );
        }
    }
}
