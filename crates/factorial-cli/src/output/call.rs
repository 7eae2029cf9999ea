//! Calls that are answered from outside, as text.

use factorial_api::{AskedCall, Asks, AwaitedCall, Time, ToolCallOutcome, ToolCallStatus};
use serde_json::Value;

use super::age::age;
use super::paint::{Paint, Tint, clean, clean_line};
use super::table::Table;

/// Columns of a table that no terminal bounds.
const WIDE: usize = 200;

/// One line for each call that waits for an operator; `what` they are, when there are none.
pub(crate) fn asked_table(
    calls: &[AskedCall],
    what: &str,
    now: Time,
    width: Option<usize>,
    paint: Paint,
) -> String {
    if calls.is_empty() {
        return format!("No {what}.\n");
    }
    let header = [
        "ASKED",
        "TASK",
        "CALL",
        "AGENT",
        "OWNER",
        "TOOL",
        "EXPIRES",
        "ARGUMENTS",
    ];
    let mut table = Table::new(paint, &header);
    for call in calls {
        table.row([
            (age(call.asked_at, now), Tint::Plain),
            (call.task_id.clone(), Tint::Plain),
            (call.call_id.clone(), Tint::Plain),
            (call.agent.clone(), Tint::Plain),
            (call.owner_id.clone(), Tint::Plain),
            (call.tool.clone(), Tint::Strong),
            (expiry(call.expires_at, now), Tint::Plain),
            (one_line(&call.arguments), Tint::Plain),
        ]);
    }
    table.render_within(width.unwrap_or(WIDE))
}

/// One line for each call of a task.
pub(crate) fn awaited_table(
    calls: &[AwaitedCall],
    now: Time,
    width: Option<usize>,
    paint: Paint,
) -> String {
    if calls.is_empty() {
        return "No calls that are answered from outside.\n".to_owned();
    }
    let header = [
        "CALL",
        "TOOL",
        "ASKS",
        "STATUS",
        "ASKED",
        "EXPIRES",
        "ANSWERED",
        "ARGUMENTS",
    ];
    let mut table = Table::new(paint, &header);
    for call in calls {
        let expires = match call.status {
            ToolCallStatus::Open => expiry(call.expires_at, now),
            ToolCallStatus::Answered => String::new(),
        };
        let (status, tint) = match call.outcome {
            Some(outcome) => (outcome.as_str(), outcome_tint(outcome)),
            None => (call.status.as_str(), Tint::Busy),
        };
        let ago = |time: Option<Time>| time.map(|time| age(time, now)).unwrap_or_default();
        table.row([
            (call.call_id.clone(), Tint::Plain),
            (call.tool.clone(), Tint::Strong),
            (asks(call.asks).to_owned(), Tint::Plain),
            (status.to_owned(), tint),
            (ago(call.asked_at), Tint::Plain),
            (expires, Tint::Plain),
            (ago(call.answered_at), Tint::Plain),
            (one_line(&call.arguments), Tint::Plain),
        ]);
    }
    table.render_within(width.unwrap_or(WIDE))
}

/// Everything about a call that somebody is to decide.
pub(crate) fn asked_details(call: &AskedCall, now: Time, paint: Paint) -> String {
    let label = |name: &str| paint.tint(Tint::Faint, format!("{name:<9}"));
    let facts = [
        ("Tool", paint.tint(Tint::Strong, clean_line(&call.tool))),
        ("Task", clean_line(&call.task_id)),
        ("Call", clean_line(&call.call_id)),
        ("Agent", clean_line(&call.agent)),
        ("Owner", clean_line(&call.owner_id)),
        ("Asked", age(call.asked_at, now)),
        ("Expires", expiry(call.expires_at, now)),
    ];
    let mut text: String = facts
        .iter()
        .map(|(name, value)| format!("{} {value}\n", label(name)))
        .collect();
    text.push_str(&format!("{}\n", paint.tint(Tint::Faint, "Arguments")));
    text.push_str(&indented(&call.arguments));
    text
}

/// JSON over several lines, each with its newline.
pub(crate) fn indented(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        value => format!("{value:#}"),
    };
    clean(&text)
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect()
}

/// What a model wrote, in one line.
pub(crate) fn one_line(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => clean_line(text),
        value => clean_line(&value.to_string()),
    }
}

fn asks(asks: Asks) -> &'static str {
    match asks {
        Asks::Caller => "caller",
        Asks::Operator => "operator",
        Asks::Approval => "approval",
    }
}

fn expiry(at: Option<Time>, now: Time) -> String {
    at.map_or_else(|| "never".to_owned(), |at| age(at, now))
}

fn outcome_tint(outcome: ToolCallOutcome) -> Tint {
    match outcome {
        ToolCallOutcome::Result | ToolCallOutcome::Approved => Tint::Good,
        ToolCallOutcome::Error | ToolCallOutcome::Denied | ToolCallOutcome::Timeout => Tint::Bad,
        ToolCallOutcome::Interrupted | ToolCallOutcome::Closed => Tint::Faint,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked() -> AskedCall {
        AskedCall {
            task_id: "0-01".to_owned(),
            call_id: "c1".to_owned(),
            agent: "planner".to_owned(),
            agent_version: None,
            owner_id: "me".to_owned(),
            tool: "publish".to_owned(),
            arguments: json!({}),
            asked_at: Time::from_millis(0),
            expires_at: None,
        }
    }

    #[test]
    fn arguments_come_last_and_are_cut() {
        let mut call = asked();
        call.arguments = json!({ "title": "x".repeat(300) });
        let now = Time::from_millis(3000);
        let text = asked_table(&[call], "open approvals", now, Some(100), Paint(false));
        let lines: Vec<&str> = text.lines().collect();
        let start = "3 s ago  0-01  c1    planner  me     publish  never    {\"title\":\"xxx";
        assert!(lines[1].starts_with(start), "{text}");
        assert!(lines[1].ends_with('…'), "{text}");
        assert_eq!(lines[1].chars().count(), 100, "{text}");
    }

    #[test]
    fn details_never_control_the_terminal() {
        let mut call = asked();
        call.arguments = json!("not JSON \u{1b}[2J");
        let text = asked_details(&call, Time::from_millis(0), Paint(false));
        assert!(text.ends_with("Arguments\n  not JSON [2J\n"), "{text:?}");
    }
}
