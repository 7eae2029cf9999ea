//! I4: each attempt has a start and an end in the event log, and the counters of attempts, retries, recoveries and
//! hand-backs are those of the log; who parked is queued again once.

use factorial_core::TaskState;

use super::{
    report::{Report, Rule},
    view::{LoggedEvent, PartitionView, TaskView},
};

/// An attempt ends with one of these.
fn ends_attempt(event: &LoggedEvent) -> bool {
    let ends = matches!(
        event.name.as_str(),
        "run_handed_back" | "run_parked" | "task_recovered" | "task_retried"
    );
    (ends && !event.is_operator_retry()) || event.is_terminal()
}

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, task) in &partition.tasks {
        one(id, task, report);
    }
}

fn one(id: &str, task: &TaskView, report: &mut Report) {
    let (mut open, mut parked) = (false, false);
    let (mut starts, mut retries, mut recoveries, mut hand_backs) = (0_i64, 0_i64, 0_i64, 0_i64);
    for (i, event) in task.events.iter().enumerate() {
        match event.name.as_str() {
            "run_started" | "run_resumed" => {
                starts += 1;
                if open || parked {
                    report.add(
                        Rule::Attempts,
                        id,
                        format!("[{i}] starts an attempt inside another, or of a parked task"),
                    );
                }
                if (event.name == "run_started") != (starts == 1) {
                    report.add(
                        Rule::Attempts,
                        id,
                        format!("[{i}] is {}, attempt {starts}", event.name),
                    );
                }
                report.same(
                    Rule::Attempts,
                    id,
                    "the event's attempt",
                    i64::from(event.attempt),
                    starts,
                );
                open = true;
                continue;
            }
            "run_parked" => parked = true,
            "run_unparked" => {
                if !parked {
                    report.add(
                        Rule::Attempts,
                        id,
                        format!("[{i}] unparks what was not parked"),
                    );
                }
                parked = false;
            }
            "task_recovered" => recoveries += 1,
            "run_handed_back" => hand_backs += 1,
            "task_retried" if event.is_operator_retry() => retries = 0,
            "task_retried" => retries += 1,
            "run_failed" if event.data.get("kind").is_some_and(|k| k == "poison") => {
                recoveries += 1
            }
            _ => {}
        }
        if event.is_terminal() {
            parked = false;
        }
        if ends_attempt(event) {
            let by_worker = matches!(
                event.name.as_str(),
                "run_completed" | "run_handed_back" | "run_parked" | "task_recovered"
            );
            if by_worker && !open {
                report.add(
                    Rule::Attempts,
                    id,
                    format!("[{i}] {} ends an attempt that was not open", event.name),
                );
            }
            open = false;
        }
    }
    report.same(
        Rule::Attempts,
        id,
        "attempts",
        task.number("attempts"),
        starts,
    );
    report.same(
        Rule::Attempts,
        id,
        "retries",
        task.number("retries"),
        retries,
    );
    report.same(
        Rule::Attempts,
        id,
        "recoveries",
        task.number("recoveries"),
        recoveries,
    );
    report.same(
        Rule::Attempts,
        id,
        "hand_backs",
        task.number("hand_backs"),
        hand_backs,
    );
    report.same(
        Rule::Attempts,
        id,
        "state",
        task.state() == Some(TaskState::Processing),
        open,
    );
    let pending = matches!(
        task.state(),
        Some(TaskState::PendingChildTasks | TaskState::PendingToolResults)
    );
    report.same(Rule::Attempts, id, "parked", pending, parked);
    if task.number("crashes") > recoveries {
        report.add(Rule::Attempts, id, "more crashes than recoveries");
    }
}
