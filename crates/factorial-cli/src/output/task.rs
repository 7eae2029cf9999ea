//! Tasks as text.

use factorial_api::{Descendants, Task, TaskResult, TaskStatus, Time, Usage};
use serde_json::Value;

use super::age::age;
use super::event::failure_text;
use super::paint::{Paint, Tint, clean, clean_line};
use super::table::Table;

/// The colour of a state.
pub(crate) fn status_tint(status: TaskStatus) -> Tint {
    match status {
        TaskStatus::Completed => Tint::Good,
        TaskStatus::Failed => Tint::Bad,
        TaskStatus::Cancelled => Tint::Faint,
        TaskStatus::Processing => Tint::Busy,
        _ => Tint::Plain,
    }
}

/// One line for each task.
pub(crate) fn task_table(tasks: &[Task], now: Time, paint: Paint) -> String {
    if tasks.is_empty() {
        return "No tasks.\n".to_owned();
    }
    let header = [
        "ID", "AGENT", "OWNER", "STATUS", "CREATED", "TURNS", "TOKENS",
    ];
    let mut table = Table::new(paint, &header);
    for task in tasks {
        let tokens = task.usage.input_tokens + task.usage.output_tokens;
        table.row([
            (task.id.clone(), Tint::Plain),
            (task.agent.clone(), Tint::Plain),
            (task.owner_id.clone(), Tint::Plain),
            (task.status.as_str().to_owned(), status_tint(task.status)),
            (age(task.created_at, now), Tint::Plain),
            (task.turns.to_string(), Tint::Plain),
            (tokens.to_string(), Tint::Plain),
        ]);
    }
    table.render()
}

/// Tokens as a phrase.
pub(crate) fn usage_text(usage: &Usage) -> String {
    let mut text = format!("{} tokens in", usage.input_tokens);
    if usage.cached_input_tokens > 0 {
        text.push_str(&format!(" ({} cached)", usage.cached_input_tokens));
    }
    text.push_str(&format!(", {} out", usage.output_tokens));
    if usage.reasoning_tokens > 0 {
        text.push_str(&format!(" ({} reasoning)", usage.reasoning_tokens));
    }
    text
}

/// Everything about one task, a line for each fact that there is.
pub(crate) fn task_details(task: &Task, now: Time, paint: Paint) -> String {
    let mut facts = Facts::new(paint);
    facts.add("Task", paint.tint(Tint::Strong, &task.id));
    let status = task.status.as_str();
    facts.add("Status", paint.tint(status_tint(task.status), status));
    if let Some(failure) = &task.failure {
        let name = if task.status == TaskStatus::Failed {
            "Failure"
        } else {
            "Last failure"
        };
        facts.add(name, failure_text(failure));
    }
    facts.text("Cancelled", task.cancel_reason.as_deref());
    facts.text("Agent", Some(&task.agent));
    facts.text("Owner", Some(&task.owner_id));
    facts.add("Priority", task.priority);
    facts.time("Created", Some(task.created_at), now);
    facts.time("Not before", task.run_at, now);
    facts.time("Started", task.started_at, now);
    facts.time("Finished", task.finished_at, now);
    facts.time("Deadline", task.deadline_at, now);
    facts.text("Worker", task.worker_id.as_deref());
    facts.add("Turns", task.turns);
    facts.add("Tool calls", task.tool_calls);
    facts.add("Attempts", attempts(task));
    facts.add("Usage", usage_text(&task.usage));
    for (model, usage) in &task.usage_by_model {
        facts.add("", format!("{}: {}", clean_line(model), usage_text(usage)));
    }
    if task.cost_usd_micros > 0 {
        facts.add("Cost", cost_text(task.cost_usd_micros));
    }
    if task.awaiting > 0 {
        facts.add("Awaiting", awaiting_text(task));
    }
    if task.pending_steering > 0 {
        facts.add("Steering", format!("{} waiting", task.pending_steering));
    }
    facts.text("Conversation", Some(&task.conversation_id));
    facts.text("Previous", task.previous_task_id.as_deref());
    facts.text("Parent", task.parent_id.as_deref());
    facts.text("Root", task.root_id.as_deref());
    if task.depth > 0 {
        facts.add("Depth", task.depth);
    }
    if !task.descendants.is_empty() {
        facts.add("Descendants", descendants_text(&task.descendants));
    }
    facts.text("Batch", task.batch_id.as_deref());
    for (key, value) in &task.metadata {
        let pair = format!("{}={}", clean_line(key), clean_line(value));
        facts.add("Metadata", pair);
    }
    facts.into_text()
}

/// How many answers it waits for, and where to see them.
fn awaiting_text(task: &Task) -> String {
    let see = match task.status {
        TaskStatus::PendingChildTasks => "tree",
        _ => "tool-calls",
    };
    let answers = plural(task.awaiting.into(), "answer");
    format!("{answers} (factorial tasks {see} {})", task.id)
}

/// What descendants that have ended come to.
pub(crate) fn descendants_text(descendants: &Descendants) -> String {
    let usage = usage_text(&descendants.usage);
    let mut text = format!("{} ended · {usage}", descendants.ended);
    if descendants.cost_usd_micros > 0 {
        text.push_str(&format!(" · {}", cost_text(descendants.cost_usd_micros)));
    }
    text
}

/// So many things.
pub(crate) fn plural(n: u64, what: &str) -> String {
    if n == 1 {
        format!("1 {what}")
    } else {
        format!("{n} {what}s")
    }
}

/// Millionths of a US dollar as dollars, exactly.
pub(crate) fn cost_text(micros: u64) -> String {
    format!("${}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn attempts(task: &Task) -> String {
    let parts = [
        (task.retries, "retried"),
        (task.recoveries, "recovered"),
        (task.hand_backs, "handed back"),
    ];
    let named: Vec<String> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if named.is_empty() {
        task.attempts.to_string()
    } else {
        format!("{} ({})", task.attempts, named.join(", "))
    }
}

/// What a task gave, without anything around it, so that it can be piped.
pub(crate) fn result_text(result: &TaskResult) -> String {
    match &result.output {
        Some(Value::String(text)) => format!("{}\n", clean(text)),
        Some(value) => format!("{value:#}\n"),
        None => String::new(),
    }
}

/// Named values, one a line.
pub(super) struct Facts(Paint, String);

impl Facts {
    pub(super) fn new(paint: Paint) -> Self {
        Self(paint, String::new())
    }

    pub(super) fn into_text(self) -> String {
        self.1
    }

    pub(super) fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        let name = self.0.tint(Tint::Faint, format!("{name:<13}"));
        self.1.push_str(&format!("{name} {value}\n"));
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, clean_line(value));
        }
    }

    pub(super) fn time(&mut self, name: &str, time: Option<Time>, now: Time) {
        if let Some(time) = time {
            let ago = self.0.tint(Tint::Faint, format!("({})", age(time, now)));
            self.add(name, format!("{time} {ago}"));
        }
    }
}
