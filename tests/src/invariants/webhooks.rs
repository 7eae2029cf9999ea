//! What is to be delivered is in the outbox, what has ended expires, and each delivery is of an event that there is.

use super::{
    report::{Report, Rule},
    view::PartitionView,
};

/// Most deliveries of a log.
const MOST: usize = 200;

pub(super) fn check(partition: &PartitionView, report: &mut Report) {
    for (id, (fields, expires)) in &partition.deliveries {
        let ended = fields.contains_key("ended");
        let due = partition.outbox.contains_key(id);
        report.same(Rule::Belongings, id, "to be delivered", !ended, due);
        report.same(Rule::Belongings, id, "expires", ended, *expires);
        report.same(
            Rule::Belongings,
            id,
            "state",
            ended,
            fields.contains_key("state"),
        );
        let mut parts = id.splitn(3, '.');
        let (Some(subject), Some(seq), Some(_)) = (
            parts.next(),
            parts.next().and_then(|seq| seq.parse::<usize>().ok()),
            parts.next(),
        ) else {
            report.add(Rule::Belongings, id, "is not the id of a delivery");
            continue;
        };
        let event = fields.get("event").map_or("", String::as_str);
        let name = event.split(' ').nth(3).unwrap_or_default();
        // The first event of a task is not stored, and nobody is told of it. What has expired is not looked at any more.
        let logged = match (
            partition.tasks.get(subject),
            partition.batch_events.get(subject),
        ) {
            (Some(task), _) => task.events.get(seq.wrapping_sub(2)),
            (None, Some(events)) => events.get(seq.wrapping_sub(1)),
            (None, None) => continue,
        };
        report.same(
            Rule::Events,
            id,
            "event",
            Some(name),
            logged.map(|e| e.name.as_str()),
        );
    }
    for id in partition.outbox.keys() {
        if !partition.deliveries.contains_key(id) {
            report.add(Rule::Belongings, id, "is in the outbox, and is no delivery");
        }
    }
    for (log, ids) in &partition.delivery_logs {
        if ids.len() > MOST {
            report.add(
                Rule::Belongings,
                log,
                format!("{} deliveries in a log", ids.len()),
            );
        }
    }
    for (id, task) in &partition.tasks {
        let marked = task.text("hook") == "1";
        report.same(
            Rule::Belongings,
            id,
            "webhook",
            marked,
            task.webhook.is_some(),
        );
    }
    for id in partition.batch_webhooks.keys() {
        let marked = partition
            .batches
            .get(id)
            .is_some_and(|b| b.contains_key("hook"));
        if !marked {
            report.add(
                Rule::Belongings,
                id,
                "has a webhook without a mark, or no hash",
            );
        }
    }
}
