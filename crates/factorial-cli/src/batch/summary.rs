//! What became of a batch, in a few lines.

use std::pin::pin;
use std::time::Duration;

use factorial_api::{Batch, BatchResult, TaskStatus};
use futures::StreamExt as _;

use crate::error::CliError;
use crate::gateway::Gateway;
use crate::output::{
    Paint, Tint, batch_status_tint, clean_line, cost_text, duration, failure_text, usage_text,
};

/// Failures that are shown.
const MOST: usize = 5;

/// The first members that failed.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<BatchResult>);

/// Asks for the first failures.
///
/// # Errors
/// When the gateway does not answer.
pub(super) async fn failures(gateway: &Gateway, id: &str) -> Result<Failures, CliError> {
    let results = gateway
        .client
        .batch_results(id, None, Some(TaskStatus::Failed));
    let mut results = pin!(results.take(MOST));
    let mut first = Vec::new();
    while let Some(result) = results.next().await {
        first.push(result.map_err(|source| gateway.failed(source))?);
    }
    Ok(Failures(first))
}

/// Members by outcome, time, rate, tokens, cost, and the first failures.
pub(super) fn summary(batch: &Batch, first: &Failures, paint: Paint) -> String {
    let status = batch.status.as_str();
    let mut text = format!(
        "Batch {} {}{}\n",
        paint.tint(Tint::Strong, &batch.id),
        paint.tint(batch_status_tint(batch.status), status),
        batch
            .cancel_reason
            .as_deref()
            .map_or_else(String::new, |why| format!(" ({})", clean_line(why))),
    );
    let mut fact = |name: &str, value: String| {
        let name = paint.tint(Tint::Faint, format!("{name:<9}"));
        text.push_str(&format!("  {name} {value}\n"));
    };
    fact("Members", outcomes(batch, paint));
    if let Some(time) = took(batch) {
        let rate = batch.members as f64 / time.as_secs_f64().max(0.001);
        fact("Time", format!("{} ({rate:.1} members/s)", duration(time)));
    }
    fact("Usage", usage_text(&batch.usage));
    if batch.cost_usd_micros > 0 {
        fact("Cost", cost_text(batch.cost_usd_micros));
    }
    for failed in &first.0 {
        let name = failed.custom_id.as_deref().map(clean_line);
        let name = name.map_or_else(String::new, |name| format!(" {name}"));
        let why = failed.failure.as_ref().map(failure_text);
        let line = format!(
            "  {} #{}{name} {}: {}\n",
            paint.tint(Tint::Bad, "✗"),
            failed.index,
            paint.tint(Tint::Faint, &failed.task_id),
            why.unwrap_or_default(),
        );
        text.push_str(&line);
    }
    let more = batch
        .count(TaskStatus::Failed)
        .saturating_sub(first.0.len() as u64);
    if more > 0 {
        text.push_str(&format!(
            "  … and {more} more: factorial batch results {} --status failed\n",
            batch.id
        ));
    }
    text
}

fn outcomes(batch: &Batch, paint: Paint) -> String {
    let named = [
        (TaskStatus::Completed, Tint::Good),
        (TaskStatus::Failed, Tint::Bad),
        (TaskStatus::Cancelled, Tint::Plain),
    ];
    let counted = named
        .into_iter()
        .map(|(status, tint)| (batch.count(status), status, tint))
        .filter(|(n, ..)| *n > 0);
    let parts: Vec<String> = counted
        .map(|(n, status, tint)| paint.tint(tint, format!("{n} {}", status.as_str())))
        .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        format!("{} of {}", parts.join(", "), batch.members)
    }
}

/// By the clock of Redis.
fn took(batch: &Batch) -> Option<Duration> {
    let millis = batch.finished_at?.as_millis() - batch.created_at.as_millis();
    Some(Duration::from_millis(millis.unsigned_abs()))
}
