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
        if task.log.is_empty() || task.events.is_empty() {
            report.add(Rule::Belongings, id, "has no conversation, or no events");
        }
        if task
            .events
            .first()
            .is_none_or(|e| e.name != "task_enqueued")
        {
            report.add(Rule::Events, id, "the first event is not task_enqueued");
        }
    }
}
