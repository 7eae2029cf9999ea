//! I1: a task is in the one place of its state, in both list indexes, and nowhere else.

use std::collections::BTreeMap;

use factorial_core::{TaskState, segments as s};

use super::{
    report::{Report, Rule},
    view::{PartitionView, TaskView},
};

/// One priority's share of a ring's scores.
const BAND: i64 = 1 << 45;

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let queues = partition
        .ready
        .iter()
        .map(|(own, ids)| (format!("{}{own}", s::READY), ids));
    let places = partition
        .places
        .iter()
        .map(|(place, ids)| (place.clone(), ids));
    for (place, ids) in queues.chain(places) {
        for id in ids.keys() {
            found.entry(id).or_default().push(place.clone());
        }
    }
    for (id, task) in &partition.tasks {
        let Some(state) = task.state() else {
            report.add(
                Rule::OnePlace,
                id,
                format!("state is {:?}", task.text("state")),
            );
            continue;
        };
        let expected = vec![place_of(task, state)];
        let real = found.remove(id.as_str()).unwrap_or_default();
        report.same(Rule::OnePlace, id, state.as_str(), expected, real);
        // One that has ended keeps the name of its last worker.
        if !state.is_terminal() {
            report.same(
                Rule::OnePlace,
                id,
                "field worker",
                task.fields.contains_key("worker"),
                state == TaskState::Processing,
            );
        }
        let listed = |index: &BTreeMap<String, BTreeMap<String, i64>>, name: &str| {
            index.get(name).is_some_and(|ids| ids.contains_key(id))
        };
        if !listed(&partition.by_agent, task.text("agent"))
            || !listed(&partition.by_owner, task.text("owner"))
        {
            report.add(
                Rule::OnePlace,
                id,
                "not in the list of its agent, or of its owner",
            );
        }
        scores(partition, id, task, state, report);
    }
    for (id, places) in found {
        report.add(Rule::OnePlace, id, format!("in {places:?} without a task"));
    }
    indexes(partition, "agent", &partition.by_agent, report);
    indexes(partition, "owner", &partition.by_owner, report);
    rings(partition, report);
}

fn place_of(task: &TaskView, state: TaskState) -> String {
    match state {
        TaskState::Queued => {
            let (agent, priority, owner) = (
                task.text("agent"),
                task.text("priority"),
                task.text("owner"),
            );
            format!("{}{agent}:{priority}:{owner}", s::READY)
        }
        TaskState::Processing => s::LEASE.to_owned(),
        TaskState::Scheduled | TaskState::Backoff => s::DELAY.to_owned(),
        TaskState::PendingToolResults | TaskState::PendingChildTasks => s::PENDING.to_owned(),
        TaskState::Completed | TaskState::Failed | TaskState::Cancelled => {
            format!("{}{state}", s::DONE)
        }
    }
}

/// Times that an index repeats from the hash.
fn scores(
    partition: &PartitionView,
    id: &str,
    task: &TaskView,
    state: TaskState,
    report: &mut Report,
) {
    let field = |name: &str| task.fields.get(name).and_then(|v| v.parse::<i64>().ok());
    let indexed = |place: &str| {
        partition
            .places
            .get(place)
            .and_then(|ids| ids.get(id))
            .copied()
    };
    if matches!(state, TaskState::Scheduled | TaskState::Backoff) {
        report.same(Rule::OnePlace, id, "due", field("due"), indexed(s::DELAY));
    }
    let ended = format!("{}{state}", s::DONE);
    let (finished, mut at) = (field("finished"), indexed(&ended));
    // One that was kept for its batch or for what lives below it is looked at again later.
    let kept = !task.text("batch").is_empty() || !task.offspring.is_empty();
    if kept && at > finished && finished.is_some() {
        at = finished;
    }
    report.same(Rule::OnePlace, id, "finished", finished, at);
    let limit = if state.is_terminal() {
        None
    } else {
        field("deadline")
    };
    report.same(
        Rule::OnePlace,
        id,
        "deadline",
        limit,
        partition.deadlines.get(id).copied(),
    );
}

fn indexes(
    partition: &PartitionView,
    field: &str,
    index: &BTreeMap<String, BTreeMap<String, i64>>,
    report: &mut Report,
) {
    for (name, ids) in index {
        for id in ids.keys() {
            if partition
                .tasks
                .get(id)
                .is_none_or(|t| t.text(field) != name)
            {
                report.add(
                    Rule::OnePlace,
                    id,
                    format!("listed for {field} {name}, which it is not of"),
                );
            }
        }
    }
}

/// An owner has a turn exactly when it has queued tasks, and in the band of their priority.
fn rings(partition: &PartitionView, report: &mut Report) {
    for own in partition.ready.keys() {
        let turn = own
            .split_once(':')
            .and_then(|(agent, own)| partition.rings.get(agent)?.get(own));
        if turn.is_none() {
            report.add(
                Rule::OnePlace,
                own,
                "queued tasks without a turn in the ring",
            );
        }
    }
    for (agent, ring) in &partition.rings {
        for (own, score) in ring {
            if !partition.ready.contains_key(&format!("{agent}:{own}")) {
                report.add(
                    Rule::OnePlace,
                    format!("{agent}:{own}"),
                    "a turn in the ring without queued tasks",
                );
            }
            let priority = own.split(':').next().unwrap_or_default();
            report.same(
                Rule::OnePlace,
                own,
                "its band",
                (9 - score / BAND).to_string().as_str(),
                priority,
            );
        }
    }
    for id in partition.deadlines.keys() {
        if !partition.tasks.contains_key(id) {
            report.add(Rule::OnePlace, id, "a deadline without a task");
        }
    }
}
