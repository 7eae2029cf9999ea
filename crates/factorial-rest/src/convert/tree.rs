//! Trees of tasks.

use factorial_api::{Time, TreeNode, TreeTotals, Usage};
use factorial_core::{TaskRecord, TaskState, WaitKey};

use super::{status, usage};

/// A task of a tree, with the place of its parent among those before it; of the first one it means nothing.
pub(crate) struct Branch {
    pub(crate) record: TaskRecord,
    pub(crate) parent: usize,
}

/// The tree of which the first task is the root, and what its tasks come to; `None` when there is no task. Children
/// come after their parents, in the order in which they are shown.
pub(crate) fn tree(branches: Vec<Branch>) -> Option<(TreeNode, TreeTotals)> {
    let mut totals = TreeTotals::default();
    let parents: Vec<usize> = branches.iter().map(|branch| branch.parent).collect();
    let mut nodes: Vec<TreeNode> = Vec::with_capacity(branches.len());
    for branch in branches {
        let node = node(branch.record);
        totals.tasks += 1;
        totals.cost_usd_micros += node.cost_usd_micros;
        add(&mut totals.usage, node.usage);
        let count = totals.by_status.entry(node.status.as_str().to_owned());
        *count.or_default() += 1;
        nodes.push(node);
    }
    // From the last to the first, a node has all its children before it goes to its parent.
    while nodes.len() > 1 {
        let mut node = nodes.pop()?;
        node.children.reverse();
        let parent = parents.get(nodes.len())?;
        nodes.get_mut(*parent)?.children.push(node);
    }
    let mut root = nodes.pop()?;
    root.children.reverse();
    Some((root, totals))
}

fn node(record: TaskRecord) -> TreeNode {
    let failed = record.state == TaskState::Failed;
    let call = record.call.as_deref().map(str::parse);
    TreeNode {
        usage: usage(record.total_usage()),
        id: record.id.into(),
        agent: record.agent.into(),
        status: status(record.state),
        depth: record.depth,
        call_id: match call {
            Some(Ok(WaitKey::Child(call, _))) => Some(call),
            _ => None,
        },
        turns: record.turns,
        created_at: Time::from_millis(record.created_ms),
        finished_at: record.finished_ms.map(Time::from_millis),
        cost_usd_micros: record.cost_micros,
        failure_kind: record
            .failure
            .filter(|_| failed)
            .map(|failure| failure.kind),
        children: Vec::new(),
    }
}

fn add(sum: &mut Usage, other: Usage) {
    sum.input_tokens += other.input_tokens;
    sum.cached_input_tokens += other.cached_input_tokens;
    sum.output_tokens += other.output_tokens;
    sum.reasoning_tokens += other.reasoning_tokens;
}
