//! Who ran a task, and when: read from its events.

use factorial_core::Event;
use serde_json::Value;

/// One attempt of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The worker that claimed it.
    pub worker: String,
    /// Its process.
    pub pid: u32,
    /// When it was claimed, ms since the Unix epoch.
    pub from_ms: i64,
    /// When it ended, and the event that says so; `None` while it runs.
    pub end: Option<(i64, String)>,
}

/// The attempts of a task, in order.
#[must_use]
pub fn legs(events: &[Event]) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    for event in events {
        let data: Value = serde_json::from_str(event.data.get()).unwrap_or_default();
        match event.event_type.as_str() {
            "run_started" | "run_resumed" => {
                let worker = data["worker"].as_str().unwrap_or_default().to_owned();
                let pid = pid_of(&worker).unwrap_or_default();
                legs.push(Leg {
                    worker,
                    pid,
                    from_ms: event.at_ms,
                    end: None,
                });
            }
            "task_recovered" | "run_handed_back" | "task_retried" | "run_completed"
            | "run_failed" | "run_cancelled" => {
                if let Some(leg) = legs.last_mut().filter(|leg| leg.end.is_none()) {
                    leg.end = Some((event.at_ms, event.event_type.clone()));
                }
            }
            _ => {}
        }
    }
    legs
}

/// A worker id is `<host>-<pid>-<unique>`.
pub(super) fn pid_of(worker: &str) -> Option<u32> {
    worker.rsplit('-').nth(1)?.parse().ok()
}
