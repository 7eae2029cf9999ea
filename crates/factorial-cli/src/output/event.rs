//! Events as one line each.

use std::time::Duration;

use factorial_api::{Event, Failure, FeedEvent, Time};
use serde_json::Value;

use super::age::duration;
use super::paint::{Paint, Tint, clean_line};

/// `seq`, time, type, turn and attempt, and what else is known.
pub(crate) fn event_line(event: &Event, paint: Paint) -> String {
    let mut data = String::new();
    flatten(None, &event.data, &mut data);
    let tint = tint_of(&event.event_type);
    let head = format!("{:>5}  {}", event.seq, clock(event.at));
    let place = format!("turn {} attempt {}", event.turn, event.attempt);
    format!(
        "{}  {}  {}{data}\n",
        paint.tint(Tint::Faint, head),
        paint.tint(Tint::Faint, format!("{place:<17}")),
        paint.tint(tint, clean_line(&event.event_type)),
    )
}

/// Time, whose it is, type, and what else is known.
pub(crate) fn feed_line(event: &FeedEvent, paint: Paint) -> String {
    let mut data = String::new();
    flatten(None, &event.data, &mut data);
    let subject = event.task_id.as_deref().or(event.batch_id.as_deref());
    let subject = clean_line(subject.unwrap_or("feed"));
    let agent = clean_line(event.agent.as_deref().unwrap_or_default());
    format!(
        "{}  {subject:<28}  {agent:<12}  {}{data}\n",
        paint.tint(Tint::Faint, clock(event.at)),
        paint.tint(tint_of(&event.event_type), clean_line(&event.event_type)),
    )
}

/// The time of day: the day is the same for nearly all of them.
fn clock(at: Time) -> String {
    let time = at.to_string();
    let clock = time.split('T').nth(1).unwrap_or(&time);
    clock.trim_end_matches('Z').to_owned()
}

fn tint_of(event_type: &str) -> Tint {
    match event_type {
        "run_completed" => Tint::Good,
        "feed_gap" => Tint::Bad,
        kind if kind.ends_with("_failed") => Tint::Bad,
        _ => Tint::Plain,
    }
}

/// `key=value` for all that is known; text is quoted as JSON where it has blanks.
fn flatten(key: Option<&str>, value: &Value, out: &mut String) {
    let text = match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(Some(key), value, out);
            }
            return;
        }
        Value::Null => return,
        Value::String(text) if !text.is_empty() && !text.contains([' ', '"', '\n']) => text.clone(),
        value => value.to_string(),
    };
    if let Some(key) = key {
        out.push_str(&clean_line(&format!("  {key}={text}")));
    }
}

/// Kind, message, and the provider's status.
pub(crate) fn failure_text(failure: &Failure) -> String {
    let status = failure
        .provider_status
        .map_or_else(String::new, |status| format!(" (HTTP {status})"));
    format!(
        "{}: {}{status}",
        clean_line(&failure.kind),
        clean_line(&failure.message)
    )
}

/// A text of the event's data.
pub(crate) fn text_of<'e>(event: &'e Event, key: &str) -> &'e str {
    event
        .data
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A duration of the event's data, given there in milliseconds.
pub(crate) fn millis_of(event: &Event, key: &str) -> String {
    let millis = event.data.get(key).and_then(Value::as_u64);
    millis.map_or_else(String::new, |ms| duration(Duration::from_millis(ms)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let event = Event {
            seq: 7,
            event_type: "task_retried".to_owned(),
            at: Time::from_millis(3_723_004),
            task_id: "t".to_owned(),
            owner_id: "o".to_owned(),
            agent: "a".to_owned(),
            turn: 2,
            attempt: 1,
            data: json!({ "kind": "timeout", "message": "too\u{1b} slow", "status": null, "usage": { "n": 1 } }),
        };
        assert_eq!(
            event_line(&event, Paint(false)),
            "    7  01:02:03.004  turn 2 attempt 1   task_retried  kind=timeout  \
             message=\"too\\u001b slow\"  n=1\n"
        );
    }
}
