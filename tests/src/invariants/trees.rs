//! I6 and I7 over a tree: depths, roots and lists of children fit, and a task knows what those below it have spent that
//! have ended. Of a tree from which tasks have expired, the sums are not known any more.

use super::{
    report::{Report, Rule},
    view::{PartitionView, TaskView},
};

/// Tasks, tokens read, cached, written, of reasoning, cost.
pub(super) type Spent = [i64; 6];

/// What a task has spent by itself.
pub(super) fn own(task: &TaskView) -> Spent {
    let mut spent = [1, 0, 0, 0, 0, task.number("cost")];
    for (_, value) in task
        .fields
        .iter()
        .filter(|(name, _)| name.starts_with("u:"))
    {
        for (sum, part) in spent[1..5].iter_mut().zip(value.split(' ')) {
            *sum += part.parse::<i64>().unwrap_or(i64::MIN);
        }
    }
    spent
}

/// A stored sum; none is zero.
pub(super) fn stored(text: &str) -> Spent {
    let mut parts = text.split(' ').map(|n| n.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

/// How many a task has spawned below it, and what those of them that have ended have spent; `None` when one has expired.
fn below(partition: &PartitionView, task: &TaskView) -> Option<(i64, Spent)> {
    let (mut count, mut sum) = (0, Spent::default());
    for id in &task.offspring {
        let child = partition.tasks.get(id)?;
        let (more, spent) = below(partition, child)?;
        count += 1 + more;
        add(&mut sum, spent);
        if child.has_ended() {
            add(&mut sum, own(child));
        }
    }
    Some((count, sum))
}

pub(super) fn add(sum: &mut Spent, more: Spent) {
    for (total, part) in sum.iter_mut().zip(more) {
        *total += part;
    }
}

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        if let Some((count, spent)) = below(partition, task) {
            report.same(Rule::Usage, id, "tree", stored(task.text("tree")), spent);
            let spawned = if task.text("parent").is_empty() {
                count
            } else {
                0
            };
            report.same(Rule::Counts, id, "spawned", task.number("spawned"), spawned);
        }
        let Some(parent) = partition.tasks.get(task.text("parent")) else {
            continue;
        };
        if !parent.offspring.contains(id) {
            report.add(Rule::Awaited, id, "is not in the list of its parent");
        }
        let root = match parent.text("root") {
            "" => task.text("parent"),
            root => root,
        };
        report.same(Rule::Awaited, id, "root", task.text("root"), root);
        let depth = parent.number("depth") + 1;
        report.same(Rule::Awaited, id, "depth", task.number("depth"), depth);
    }
}
