//! Trees of tasks, drawn with lines.

use std::time::Duration;

use factorial_api::{TaskStatus, TaskTree, Time, TreeNode, TreeTotals};

use super::age::duration;
use super::paint::{Paint, Tint, clean_line};
use super::table::Table;
use super::task::{cost_text, descendants_text, plural, status_tint, usage_text};

/// A line for each task under its parent, then what they come to.
pub(crate) fn tree_text(tree: &TaskTree, now: Time, paint: Paint) -> String {
    let header = ["TASK", "ID", "STATUS", "TURNS", "TOKENS", "TOOK"];
    let mut table = Table::new(paint, &header);
    draw(&mut table, &tree.root, now, "", "");
    let mut text = table.render();
    let mut add = |line: String| text.push_str(&format!("{}\n", paint.tint(Tint::Faint, line)));
    add(totals_text(&tree.totals));
    if tree.truncated {
        add("The deepest are left out: --limit N shows more.".to_owned());
    }
    let shown = ended_below(&tree.root);
    if tree.descendants.ended > shown {
        let all = descendants_text(&tree.descendants);
        add(format!("Descendants, with those not shown: {all}"));
    }
    text
}

/// `first`: what stands before this task; `rest`: before those below it.
fn draw(table: &mut Table, node: &TreeNode, now: Time, first: &str, rest: &str) {
    let (mark, tint) = (status_mark(node.status), status_tint(node.status));
    let tokens = node.usage.input_tokens + node.usage.output_tokens;
    table.row([
        (format!("{first}{mark} {}", node.agent), Tint::Plain),
        (node.id.clone(), Tint::Plain),
        (status_text(node), tint),
        (node.turns.to_string(), Tint::Plain),
        (tokens.to_string(), Tint::Plain),
        (took(node, now), Tint::Plain),
    ]);
    // Bounded by the greatest depth that a tree may have.
    for (index, child) in node.children.iter().enumerate() {
        let (branch, trunk) = if index + 1 < node.children.len() {
            ("├─ ", "│  ")
        } else {
            ("└─ ", "   ")
        };
        let (first, rest) = (format!("{rest}{branch}"), format!("{rest}{trunk}"));
        draw(table, child, now, &first, &rest);
    }
}

/// The state in one character.
fn status_mark(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Completed => "✓",
        TaskStatus::Failed => "✗",
        TaskStatus::Cancelled => "–",
        TaskStatus::Processing => "●",
        TaskStatus::PendingToolResults | TaskStatus::PendingChildTasks => "…",
        TaskStatus::Scheduled | TaskStatus::Queued | TaskStatus::Backoff => "○",
    }
}

fn status_text(node: &TreeNode) -> String {
    match &node.failure_kind {
        Some(kind) => format!("{}: {}", node.status.as_str(), clean_line(kind)),
        None => node.status.as_str().to_owned(),
    }
}

fn took(node: &TreeNode, now: Time) -> String {
    let until = node.finished_at.unwrap_or(now).as_millis();
    let millis = until.saturating_sub(node.created_at.as_millis()).max(0);
    duration(Duration::from_millis(millis.unsigned_abs()))
}

fn totals_text(totals: &TreeTotals) -> String {
    let states: Vec<String> = totals
        .by_status
        .iter()
        .map(|(status, n)| format!("{n} {}", clean_line(status)))
        .collect();
    let mut text = format!(
        "{}: {} · {}",
        plural(totals.tasks, "task"),
        states.join(", "),
        usage_text(&totals.usage)
    );
    if totals.cost_usd_micros > 0 {
        text.push_str(&format!(" · {}", cost_text(totals.cost_usd_micros)));
    }
    text
}

/// Descendants shown that have ended.
fn ended_below(node: &TreeNode) -> u64 {
    let of = |child: &TreeNode| u64::from(child.status.is_terminal()) + ended_below(child);
    node.children.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use factorial_api::{Descendants, Usage};

    use super::*;

    fn node(id: &str, status: TaskStatus, children: Vec<TreeNode>) -> TreeNode {
        TreeNode {
            id: id.to_owned(),
            agent: format!("agent-{id}"),
            status,
            depth: 0,
            call_id: None,
            turns: 1,
            created_at: Time::from_millis(0),
            finished_at: status.is_terminal().then(|| Time::from_millis(1500)),
            usage: Usage {
                input_tokens: 10,
                output_tokens: 2,
                ..Usage::default()
            },
            cost_usd_micros: 0,
            failure_kind: (status == TaskStatus::Failed).then(|| "timeout".to_owned()),
            children,
        }
    }

    fn tree(root: TreeNode) -> TaskTree {
        TaskTree {
            root,
            totals: TreeTotals {
                tasks: 5,
                by_status: [("completed", 1), ("failed", 1), ("queued", 2)]
                    .map(|(status, n)| (status.to_owned(), n))
                    .into(),
                usage: Usage::default(),
                cost_usd_micros: 1_500,
            },
            descendants: Descendants::default(),
            truncated: false,
        }
    }

    #[test]
    fn lines_join_parents_and_children() {
        let leaf = node("d", TaskStatus::Failed, vec![]);
        let waiting = node("e", TaskStatus::Queued, vec![]);
        let below = vec![
            node("b", TaskStatus::Completed, vec![leaf]),
            node("c", TaskStatus::Queued, vec![waiting]),
        ];
        let root = node("a", TaskStatus::PendingChildTasks, below);
        let text = tree_text(&tree(root), Time::from_millis(90_000), Paint(false));
        let lines = [
            "TASK             ID  STATUS               TURNS  TOKENS  TOOK",
            "… agent-a        a   pending_child_tasks  1      12      1 min 30 s",
            "├─ ✓ agent-b     b   completed            1      12      1.5 s",
            "│  └─ ✗ agent-d  d   failed: timeout      1      12      1.5 s",
            "└─ ○ agent-c     c   queued               1      12      1 min 30 s",
            "   └─ ○ agent-e  e   queued               1      12      1 min 30 s",
            "5 tasks: 1 completed, 1 failed, 2 queued · 0 tokens in, 0 out · $0.001500",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{text}");
    }

    #[test]
    fn what_is_not_shown_is_said() {
        let mut tree = tree(node("a", TaskStatus::Completed, vec![]));
        tree.truncated = true;
        tree.descendants.ended = 7;
        let text = tree_text(&tree, Time::from_millis(0), Paint(false));
        assert!(text.contains("--limit N"), "{text}");
        assert!(text.contains("not shown: 7 ended"), "{text}");
    }
}
