//! I6: what a task awaits is what is outstanding, somebody will answer it, and its children are those that have not ended.

use std::collections::BTreeMap;

use factorial_core::TaskState;

use super::{
    report::{Report, Rule},
    view::{PartitionView, TaskView},
};

/// An open wait: `? <kind> <asked ms> <deadline ms or 0> <ref>`.
struct Open<'a> {
    kind: &'a str,
    asked: i64,
    deadline: i64,
    subject: &'a str,
}

fn open(stored: &str) -> Option<Open<'_>> {
    let mut words = stored.strip_prefix("? ")?.split(' ');
    Some(Open {
        kind: words.next()?,
        asked: words.next()?.parse().ok()?,
        deadline: words.next()?.parse().ok()?,
        subject: words.next()?,
    })
}

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    let (mut awaits, mut asked) = (BTreeMap::new(), BTreeMap::new());
    for (id, task) in &partition.tasks {
        let mut outstanding = 0;
        for (key, stored) in &task.waits {
            let Some(wait) = open(stored) else {
                if !stored.starts_with("= ") && !stored.starts_with(". ") {
                    report.add(Rule::Awaited, id, format!("wait {key} is {stored:?}"));
                }
                continue;
            };
            outstanding += 1;
            if wait.deadline != 0 {
                awaits.insert(format!("{id} {key}"), wait.deadline);
            }
            if matches!(wait.kind, "approval" | "operator") {
                let (agent, owner) = (task.text("agent"), task.text("owner"));
                asked.insert(
                    format!("{} {agent} {owner} {id} {key}", wait.kind),
                    wait.asked,
                );
            }
            if wait.kind == "child" {
                let answers = |c: &TaskView| {
                    c.text("parent") == id && c.text("call") == key && !c.has_ended()
                };
                if !partition.tasks.get(wait.subject).is_some_and(answers) {
                    report.add(Rule::Awaited, id, format!("nobody will answer {key}"));
                }
            } else if task.state() == Some(TaskState::PendingChildTasks) {
                report.add(
                    Rule::Awaited,
                    id,
                    format!("awaits {key}, which is no child"),
                );
            }
        }
        report.same(
            Rule::Awaited,
            id,
            "awaited",
            task.number("awaited"),
            outstanding,
        );
        let parked = matches!(
            task.state(),
            Some(TaskState::PendingChildTasks | TaskState::PendingToolResults)
        );
        if parked && outstanding == 0 {
            report.add(Rule::Awaited, id, "is parked, and nothing is outstanding");
        }
        if task.has_ended() && outstanding != 0 {
            report.add(Rule::Awaited, id, "has ended, and awaits something");
        }
        children(partition, id, task, report);
        parent(partition, id, task, report);
    }
    let deadlines = &partition.awaits;
    report.same(
        Rule::Awaited,
        "await",
        "the index",
        deadlines.clone(),
        awaits,
    );
    let inbox = &partition.asked;
    report.same(Rule::Awaited, "asked", "the index", inbox.clone(), asked);
}

fn children(partition: &PartitionView, id: &str, task: &TaskView, report: &mut Report) {
    for child in &task.children {
        let left = |c: &TaskView| !c.has_ended() || !c.children.is_empty();
        let fits = |c: &TaskView| c.text("parent") == id && left(c);
        if !partition.tasks.get(child).is_some_and(fits) {
            report.add(
                Rule::Awaited,
                id,
                format!("child {child} is gone, has ended with all below it, or is another's"),
            );
        }
        if task.offspring.iter().filter(|o| *o == child).count() != 1 {
            report.add(
                Rule::Awaited,
                id,
                format!("child {child} is not once in the list of all"),
            );
        }
    }
}

fn parent(partition: &PartitionView, id: &str, task: &TaskView, report: &mut Report) {
    let Some(parent) = partition.tasks.get(task.text("parent")) else {
        return;
    };
    let in_cascade = |id: &str| partition.cascade.iter().any(|c| c == id);
    if task.has_ended() {
        if !task.children.is_empty() && !parent.children.contains(id) && !in_cascade(id) {
            report.add(
                Rule::Awaited,
                id,
                "has children left, and is not among those of its parent",
            );
        }
        return;
    }
    if !parent.children.contains(id) {
        report.add(Rule::Awaited, id, "is not among the children of its parent");
    }
    survives(partition, id, task, report);
    let cancelling = parent.text("state") == "cancelled"
        && partition.cascade.iter().any(|c| c == task.text("parent"));
    if cancelling || task.was_revived() || partition.orphans.iter().any(|o| o == id) {
        return;
    }
    if parent.text("state") == "cancelled" {
        report.add(
            Rule::Awaited,
            id,
            "its parent is cancelled, and nobody will cancel it",
        );
    }
    let call = task.text("call");
    let awaited = parent
        .waits
        .get(call)
        .and_then(|w| open(w))
        .is_some_and(|w| w.subject == id);
    if !call.is_empty() && !awaited {
        report.add(
            Rule::Awaited,
            id,
            "is not awaited any more, and nobody will cancel it",
        );
    }
}

/// Nothing lives below a cancelled task, whatever has ended between them, unless it will be cancelled or was run again.
fn survives(partition: &PartitionView, id: &str, task: &TaskView, report: &mut Report) {
    let (mut below, mut above) = (task, task.text("parent"));
    while !below.was_revived()
        && let Some(ancestor) = partition.tasks.get(above)
        && ancestor.has_ended()
        && !partition.cascade.iter().any(|c| c == above)
    {
        if ancestor.text("state") == "cancelled" && !partition.orphans.iter().any(|o| o == id) {
            report.add(
                Rule::Awaited,
                id,
                format!("{above} above it is cancelled, and nobody will cancel it"),
            );
            return;
        }
        (below, above) = (ancestor, ancestor.text("parent"));
    }
}
