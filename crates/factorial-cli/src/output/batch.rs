//! Batches as text.

use factorial_api::{Batch, BatchLeft, BatchProblem, BatchStatus, ProgressUnit, Time};

use super::age::age;
use super::paint::{Paint, Tint, clean_line};
use super::table::Table;
use super::task::{Facts, cost_text, usage_text};

/// The colour of a state.
pub(crate) fn batch_status_tint(status: BatchStatus) -> Tint {
    match status {
        BatchStatus::Completed => Tint::Good,
        BatchStatus::Cancelled => Tint::Faint,
        BatchStatus::Running => Tint::Busy,
        BatchStatus::Filling | BatchStatus::Cancelling => Tint::Plain,
    }
}

/// One line for each batch.
pub(crate) fn batch_table(batches: &[Batch], now: Time, paint: Paint) -> String {
    if batches.is_empty() {
        return "No batches.\n".to_owned();
    }
    let header = [
        "ID", "OWNER", "STATUS", "PROGRESS", "MEMBERS", "FAILED", "CREATED", "TOKENS",
    ];
    let mut table = Table::new(paint, &header);
    for batch in batches {
        let failed = batch.count(factorial_api::TaskStatus::Failed);
        let bad = if failed > 0 { Tint::Bad } else { Tint::Plain };
        let tokens = batch.usage.input_tokens + batch.usage.output_tokens;
        table.row([
            (batch.id.clone(), Tint::Plain),
            (batch.owner_id.clone(), Tint::Plain),
            (
                batch.status.as_str().to_owned(),
                batch_status_tint(batch.status),
            ),
            (percent(batch), Tint::Plain),
            (batch.members.to_string(), Tint::Plain),
            (failed.to_string(), bad),
            (age(batch.created_at, now), Tint::Plain),
            (tokens.to_string(), Tint::Plain),
        ]);
    }
    table.render()
}

/// Everything about one batch, a line for each fact that there is.
pub(crate) fn batch_details(batch: &Batch, now: Time, paint: Paint) -> String {
    let mut facts = Facts::new(paint);
    facts.add("Batch", paint.tint(Tint::Strong, &batch.id));
    let status = batch.status.as_str();
    facts.add(
        "Status",
        paint.tint(batch_status_tint(batch.status), status),
    );
    facts.text("Cancelled", batch.cancel_reason.as_deref());
    facts.text("Owner", Some(&batch.owner_id));
    facts.add("Members", members(batch));
    for (state, count) in &batch.counts {
        facts.add("", format!("{count} {}", clean_line(state)));
    }
    let unit = match batch.progress.unit {
        ProgressUnit::Turns => "turns",
        ProgressUnit::Tasks => "members",
    };
    let (done, total) = (batch.progress.done, batch.progress.total);
    facts.add(
        "Progress",
        format!("{} ({done} of {total} {unit})", percent(batch)),
    );
    facts.time("Created", Some(batch.created_at), now);
    facts.time("Finished", batch.finished_at, now);
    facts.add("Usage", usage_text(&batch.usage));
    if batch.cost_usd_micros > 0 {
        facts.add("Cost", cost_text(batch.cost_usd_micros));
    }
    for (key, value) in &batch.metadata {
        let pair = format!("{}={}", clean_line(key), clean_line(value));
        facts.add("Metadata", pair);
    }
    facts.into_text()
}

fn members(batch: &Batch) -> String {
    if batch.accepted == batch.members {
        batch.members.to_string()
    } else {
        format!("{} accepted of {}", batch.accepted, batch.members)
    }
}

fn percent(batch: &Batch) -> String {
    format!("{} %", (batch.progress.fraction * 100.0).floor())
}

/// What is wrong with a batch, or what became of it: lines after the problem.
pub(super) fn batch_problem_text(batch: &BatchProblem) -> String {
    let mut text = String::new();
    for bad in &batch.lines {
        let pointer = match bad.pointer.as_str() {
            "" => String::new(),
            pointer => format!(" {}", clean_line(pointer)),
        };
        let message = clean_line(&bad.message);
        text.push_str(&format!("\n  line {}{pointer}: {message}", bad.line));
    }
    let shown: std::collections::BTreeSet<u64> = batch.lines.iter().map(|bad| bad.line).collect();
    let more = batch
        .bad_lines
        .unwrap_or(0)
        .saturating_sub(shown.len() as u64);
    if more > 0 {
        text.push_str(&format!("\n  … and {more} more lines"));
    }
    if let (Some(id), Some(accepted), Some(members)) = (&batch.id, batch.accepted, batch.members) {
        let least = if batch.accepted_exact == Some(false) {
            "at least "
        } else {
            ""
        };
        let id = clean_line(id);
        let left = match batch.left {
            Some(BatchLeft::Resumable) => "the same submission with the same key goes on",
            Some(BatchLeft::Cancelled) => "it was cancelled",
            Some(BatchLeft::Open) => "it could not be cancelled, and is still open",
            Some(BatchLeft::Closed) => "it takes no more",
            None => "",
        };
        text.push_str(&format!(
            "\n  batch {id} has {least}{accepted} of {members} members; {left}"
        ));
    }
    text
}
