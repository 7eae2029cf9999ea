//! I10 of batches: counters are those of the members, progress is what they have done, and a batch ends once. Members that
//! have expired are counted still, and not looked at any more.

use std::collections::BTreeMap;

use factorial_core::{TaskState, segments as s};

use super::{
    report::{Report, Rule},
    trees::{Spent, add, own, stored},
    view::{LoggedEvent, PartitionView, TaskView},
};

struct Batch<'a> {
    id: &'a str,
    fields: &'a BTreeMap<String, String>,
    members: Vec<&'a TaskView>,
}

impl Batch<'_> {
    fn number(&self, field: &str) -> i64 {
        self.fields
            .get(field)
            .and_then(|v| v.parse().ok())
            .unwrap_or(0)
    }

    fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    fn has_ended(&self) -> bool {
        matches!(self.text("state"), "completed" | "cancelled")
    }
}

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, fields) in &partition.batches {
        let members = partition
            .tasks
            .values()
            .filter(|t| t.text("batch") == id)
            .collect();
        let batch = Batch {
            id,
            fields,
            members,
        };
        counters(&batch, report);
        places(partition, &batch, report);
        let events = partition
            .batch_events
            .get(id)
            .map_or(&[][..], Vec::as_slice);
        log(&batch, events, report);
    }
    for (place, ids) in &partition.batch_places {
        for id in ids.keys().filter(|id| !partition.batches.contains_key(*id)) {
            report.add(Rule::Counts, id, format!("in {place} without a batch"));
        }
    }
    for id in partition.batch_events.keys() {
        if !partition.batches.contains_key(id) {
            report.add(Rule::Belongings, id, "events without their batch");
        }
    }
}

fn counters(batch: &Batch<'_>, report: &mut Report) {
    let same = |report: &mut Report, what: &str, real: i64| {
        report.same(Rule::Counts, batch.id, what, batch.number(what), real);
    };
    let accepted = batch.number("accepted");
    let all: i64 = TaskState::ALL
        .iter()
        .map(|state| batch.number(state.as_str()))
        .sum();
    same(report, "accepted", all);
    let of = |state: &str| batch.number(state);
    same(
        report,
        "ended",
        of("completed") + of("failed") + of("cancelled"),
    );
    let kept = i64::try_from(batch.members.len()).unwrap_or(i64::MAX);
    if kept != accepted {
        if kept > accepted || !batch.has_ended() {
            let problem = format!("{accepted} accepted, {kept} are there");
            report.add(Rule::Counts, batch.id, problem);
        }
        return;
    }
    let (mut done, mut spent) = (0, Spent::default());
    let mut states: BTreeMap<&str, i64> = BTreeMap::new();
    let each = batch.number("turns_each");
    for member in &batch.members {
        *states.entry(member.text("state")).or_default() += 1;
        if member.has_ended() {
            add(&mut spent, own(member));
        }
        done += match (each, member.has_ended()) {
            (0, ended) => i64::from(ended),
            (each, true) => each,
            (each, false) => each.min(member.number("turns")),
        };
    }
    for state in TaskState::ALL.map(TaskState::as_str) {
        same(report, state, states.get(state).copied().unwrap_or(0));
    }
    same(report, "done", done);
    let sum = stored(batch.text("spent"));
    report.same(Rule::Usage, batch.id, "spent", sum, spent);
}

/// A batch is in the lists, and in the index of its state.
fn places(partition: &PartitionView, batch: &Batch<'_>, report: &mut Report) {
    let score = |place: &str| partition.batch_places.get(place)?.get(batch.id).copied();
    let owner = format!("{}{}", s::OWNER_BATCHES, batch.text("owner"));
    if score(s::BATCHES).is_none() || score(&owner).is_none() {
        report.add(Rule::OnePlace, batch.id, "not in both lists of batches");
    }
    let state = batch.text("state");
    if !["filling", "running", "cancelling", "completed", "cancelled"].contains(&state) {
        report.add(Rule::OnePlace, batch.id, format!("state is {state:?}"));
    }
    for (place, belongs) in [(s::FILLING, "filling"), (s::CANCELLING, "cancelling")] {
        let is = score(place).is_some();
        report.same(Rule::OnePlace, batch.id, place, is, state == belongs);
    }
    let ended = score(&format!("{}batch", s::DONE));
    let finished = batch.fields.get("finished").and_then(|v| v.parse().ok());
    report.same(Rule::OnePlace, batch.id, "finished", finished, ended);
    report.same(
        Rule::EndsOnce,
        batch.id,
        "state",
        batch.has_ended(),
        ended.is_some(),
    );
    let (members, accepted) = (batch.number("members"), batch.number("accepted"));
    if members < accepted || (state != "filling" && members != accepted) {
        let problem = format!("{accepted} of {members} members, {state}");
        report.add(Rule::Counts, batch.id, problem);
    }
    if matches!(state, "running" | "cancelling") && batch.number("ended") >= members {
        report.add(Rule::EndsOnce, batch.id, "all have ended, and it has not");
    }
}

fn log(batch: &Batch<'_>, events: &[LoggedEvent], report: &mut Report) {
    if events.first().is_none_or(|e| e.name != "batch_started") {
        report.add(
            Rule::Events,
            batch.id,
            "the first event is not batch_started",
        );
    }
    let mut last = 0;
    for event in events.iter().skip(1) {
        let progress = event.number("progress");
        if progress < last || progress > 100 {
            report.add(Rule::Counts, batch.id, format!("{last} %, then {progress}"));
        }
        last = progress;
    }
    let end = |e: &&LoggedEvent| matches!(e.name.as_str(), "batch_completed" | "batch_cancelled");
    let ends: Vec<&str> = events.iter().filter(end).map(|e| &*e.name).collect();
    let expected = format!("batch_{}", batch.text("state"));
    let expected = if batch.has_ended() {
        vec![expected.as_str()]
    } else {
        vec![]
    };
    report.same(Rule::EndsOnce, batch.id, "its end", ends, expected);
    if batch.has_ended() && (last != 100 || !events.last().as_ref().is_some_and(end)) {
        report.add(Rule::EndsOnce, batch.id, "does not end with 100 %");
    }
}
