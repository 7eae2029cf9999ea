//! I6: what a parent awaits is what is outstanding, its children are those that have not ended, and a cancelled task
//! has none that run.

use factorial_core::TaskState;

use super::{
    report::{Report, Rule},
    view::{PartitionView, TaskView},
};

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        let outstanding = task.waits.values().filter(|w| *w == "?").count();
        let outstanding = i64::try_from(outstanding).unwrap_or(i64::MAX);
        report.same(
            Rule::Awaited,
            id,
            "awaited",
            task.number("awaited"),
            outstanding,
        );
        if task.state() == Some(TaskState::PendingChildTasks) && outstanding == 0 {
            report.add(Rule::Awaited, id, "is parked, and nothing is outstanding");
        }
        for child in &task.children {
            let fits = |c: &TaskView| c.text("parent") == id && !c.has_ended();
            if !partition.tasks.get(child).is_some_and(fits) {
                report.add(
                    Rule::Awaited,
                    id,
                    format!("child {child} is gone, has ended, or is another's"),
                );
            }
        }
        parent(partition, id, task, report);
    }
}

fn parent(partition: &PartitionView, id: &str, task: &TaskView, report: &mut Report) {
    let Some(parent) = partition.tasks.get(task.text("parent")) else {
        return;
    };
    if !task.has_ended() && !parent.children.contains(id) {
        report.add(Rule::Awaited, id, "is not among the children of its parent");
    }
    if task.has_ended()
        && parent
            .waits
            .get(task.text("call"))
            .is_some_and(|w| w == "?")
    {
        let siblings = partition.tasks.values().filter(|t| {
            t.text("parent") == task.text("parent")
                && t.text("call") == task.text("call")
                && !t.has_ended()
        });
        if siblings.count() == 0 {
            report.add(
                Rule::Awaited,
                id,
                "has ended, and its parent still waits for it",
            );
        }
    }
    let revived = task
        .events
        .iter()
        .any(super::view::LoggedEvent::is_operator_retry);
    let left_over = parent.text("state") == "cancelled" && !task.has_ended() && !revived;
    if left_over && !partition.cascade.iter().any(|c| c == task.text("parent")) {
        report.add(
            Rule::Awaited,
            id,
            "its parent is cancelled, and nobody will cancel it",
        );
    }
}
