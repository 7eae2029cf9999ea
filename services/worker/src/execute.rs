//! One leased task, from claim to its end, retry, hand-back or loss.
//!
//! Thousands of these wait for their models at the same time. What is not needed while a model is waited for is in a
//! box of its own where it is awaited, and so takes no room in the meantime.

use std::{sync::Arc, time::Duration};

use factorial_agent::{ErrorKind, Failure as RunFailure, Limits, Run, RunEnd, Signals};
use factorial_core::{Claimed, Failure, Store, failure_kind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    callbacks::Callbacks,
    convert,
    directory::Directory,
    held::{HeldTasks, InFlight},
    journal::{StoreJournal, deltas::Deltas},
    runner::Slot,
    trace::RunTrace,
};

/// Entries read at once of a conversation that did not come with the claim.
const PAGE: u64 = 256;

/// Before a conversation is read again that Redis did not give.
const READ_AGAIN: Duration = Duration::from_millis(200);

/// What a run needs of the process.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) held: HeldTasks,
    pub(crate) lease: Duration,
    pub(crate) directory: Directory,
    pub(crate) callbacks: Option<Arc<Callbacks>>,
    pub(crate) max_descendants: u64,
    /// Stop at the next boundary.
    pub(crate) drain: CancellationToken,
    /// Stop here and hand back.
    pub(crate) abandon: CancellationToken,
}

/// Runs a task in a slot. The task is removed from the held ones when this returns.
pub(crate) async fn execute(context: Context, slot: Slot, claimed: Box<Claimed>) {
    let started = Instant::now();
    let held = claimed.held.clone();
    let lost = CancellationToken::new();
    let signals = Arc::new(Signals::new(context.drain.clone()));
    let record = &claimed.record;
    let deltas = Arc::new(Deltas::new(record.stream, record.live));
    let signalled = context.held.insert(InFlight {
        held: held.clone(),
        lost: lost.clone(),
        signals: Arc::clone(&signals),
        deltas: Arc::clone(&deltas),
        ending: false,
        cancelled_at: None,
    });
    if signalled {
        // A cancellation of this task came before it: whether of this lease, Redis knows.
        let leases = std::slice::from_ref(&held);
        let gone = Box::pin(context.store.renew(leases, context.lease)).await;
        if gone.is_ok_and(|gone| !gone.is_empty()) {
            lost.cancel();
        }
    }
    let attempt = claimed.record.attempts;
    let trace = RunTrace::begin(&claimed, &slot.runner).map(Arc::new);
    let trace_id = trace.as_ref().map(|trace| trace.id());

    let outcome = {
        // Pinned here: given by value, there would be room for it three times.
        let run = std::pin::pin!(carry_out(
            &context,
            &slot,
            claimed,
            &signals,
            deltas,
            trace.clone()
        ));
        lost.run_until_cancelled(run).await.unwrap_or("lost")
    };
    let cancelled_at = context.held.remove(&held);
    let seconds = started.elapsed().as_secs_f64();
    slot.runner.meters.run_ended(outcome, seconds);
    if let Some(at) = cancelled_at.filter(|_| outcome == "lost") {
        slot.runner.meters.cancelled(at.elapsed());
    }
    // What goes as it should is in the task's events, and not logged once more.
    if let Some(trace) = trace {
        let cancelled = outcome == "lost" && cancelled_at.is_some();
        trace.end(if cancelled { "cancelled" } else { outcome });
    }
    let (agent, duration_ms) = (&slot.runner.name, started.elapsed().as_millis());
    if matches!(outcome, "completed" | "parked") {
        tracing::debug!(task.id = %held.id, trace.id = trace_id, agent.name = %agent, attempt, outcome, duration_ms, "run ended");
        return;
    }
    tracing::info!(
        task.id = %held.id, trace.id = trace_id, agent.name = %agent, attempt, outcome, duration_ms,
        "run ended"
    );
}

/// Returns the outcome's name.
async fn carry_out(
    context: &Context,
    slot: &Slot,
    mut claimed: Box<Claimed>,
    signals: &Signals,
    deltas: Arc<Deltas>,
    trace: Option<Arc<RunTrace>>,
) -> &'static str {
    if let Err(problem) = read_on(&context.store, &mut claimed).await {
        return match problem {
            Some(detail) => {
                let journal = slot.runner.journal(context, &claimed, deltas, trace);
                let failure = Failure {
                    kind: failure_kind::CORRUPT_CONVERSATION.to_owned(),
                    message: detail,
                    status: None,
                };
                Box::pin(journal.fail(claimed.record.turns, failure))
                    .await
                    .map_or("lost", |()| "failed")
            }
            // Redis went away: the lease will expire, and somebody else goes on.
            None => "lost",
        };
    }
    let journal = slot.runner.journal(context, &claimed, deltas, trace);
    let retries = claimed.record.retries;
    let end = {
        let run = prepare(slot, *claimed, &journal, signals);
        let run = slot.runner.agent.run(run);
        tokio::select! {
            end = run => end,
            // Ends only when the lease is lost, which the run will learn by itself.
            () = async { journal.pass_deltas().await; std::future::pending().await } => RunEnd::Lost,
            () = context.abandon.cancelled() => RunEnd::HandBack,
        }
    };
    let result = match end {
        RunEnd::Completed => return "completed",
        RunEnd::Parked => return "parked",
        RunEnd::Lost if !journal.has_diverged().await => return "lost",
        RunEnd::HandBack | RunEnd::Lost => {
            Box::pin(journal.release()).await.map(|()| "handed_back")
        }
        RunEnd::Failed(failure) => Box::pin(fail(slot, retries, &journal, failure)).await,
    };
    result.unwrap_or("lost")
}

/// Decides between another try and the end.
async fn fail(
    slot: &Slot,
    retries: u32,
    journal: &StoreJournal,
    failure: RunFailure,
) -> Result<&'static str, factorial_agent::JournalError> {
    let id = &journal.held().id;
    if let Some(trace) = journal.trace() {
        trace.failed(failure.turn, failure.kind);
    }
    let policy = &slot.runner.options.retry;
    let kind = match failure.kind {
        ErrorKind::TooLarge => failure_kind::CONVERSATION_TOO_LARGE,
        other => other.as_str(),
    };
    let stored = Failure {
        kind: kind.to_owned(),
        message: failure.message.clone(),
        status: failure.status,
    };
    if failure.retryable && policy.allows(retries) {
        let delay = policy.delay(retries, failure.retry_after, rand::random());
        tracing::info!(task.id = %id, kind, retries, delay_ms = delay.as_millis(), "run will be retried");
        return journal.back_off(delay, &stored).await.map(|()| "backoff");
    }
    tracing::info!(task.id = %id, kind, retries, "task failed");
    journal.fail(failure.turn, stored).await.map(|()| "failed")
}

/// Reads the rest of a long conversation. `Err(Some)`: it cannot be read; `Err(None)`: Redis does not answer.
async fn read_on(store: &Store, claimed: &mut Claimed) -> Result<(), Option<String>> {
    if let Some(detail) = claimed.corrupt.take() {
        return Err(Some(detail));
    }
    while (claimed.entries.len() as u64) < claimed.length {
        let from = claimed.entries.len() as u64;
        let most = PAGE.min(claimed.length - from);
        match Box::pin(store.entries(&claimed.held.id, from, most)).await {
            Ok(page) if page.is_empty() => return Err(None),
            Ok(page) => claimed.entries.extend(page),
            // The lease is renewed meanwhile, or lost: then this run is dropped.
            Err(e) if e.is_unavailable() => tokio::time::sleep(READ_AGAIN).await,
            Err(e) => return Err(Some(e.to_string())),
        }
    }
    Ok(())
}

/// Only what the run needs is left of what was claimed.
fn prepare<'a>(
    slot: &Slot,
    claimed: Claimed,
    journal: &'a StoreJournal,
    signals: &'a Signals,
) -> Run<'a> {
    let (conversation, context) = convert::messages(claimed.entries);
    let record = claimed.record;
    let own = slot.runner.agent.definition().limits;
    let limits = own.tightened_by(&submitted_limits(record.limits.as_ref()));
    let elapsed = i64::try_from(claimed.claimed_ms).unwrap_or(i64::MAX)
        - record.started_ms.unwrap_or(record.created_ms);
    let wall_remaining = limits
        .max_wall_seconds
        .map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX))
        .map(|wall| {
            wall.saturating_sub(Duration::from_millis(u64::try_from(elapsed).unwrap_or(0)))
        });
    Run {
        context: context.unwrap_or_default(),
        turns_done: record.turns,
        usage_so_far: convert::usage(record.total_usage()),
        tool_calls_done: record.tool_calls,
        steering_waits: record.steering > 0,
        waits: convert::waits(claimed.waits),
        caller_tools: convert::caller_tools(record.tools.as_ref()),
        trace: record.trace,
        depth: record.depth,
        tree_usage: convert::usage(record.tree.usage),
        tree_cost_usd_micros: record.tree.cost_micros,
        cost_so_far_usd_micros: record.cost_micros,
        limits,
        wall_remaining,
        turn_timeout: slot.runner.options.turn_timeout,
        attempt: record.attempts,
        ..Run::new(
            journal.held().id.as_str(),
            journal.owner().as_str(),
            conversation,
            journal,
            signals,
        )
    }
}

/// The limits of a submission that the turn loop enforces; the deadline is the reaper's.
fn submitted_limits(json: Option<&serde_json::Value>) -> Limits {
    let number = |name: &str| {
        json.and_then(|j| j.get(name))
            .and_then(serde_json::Value::as_u64)
    };
    let small = |name: &str| number(name).and_then(|n| u32::try_from(n).ok());
    Limits {
        max_turns: small("max_turns"),
        max_total_tokens: number("max_total_tokens"),
        max_tool_calls: small("max_tool_calls"),
        max_cost_usd: json
            .and_then(|j| j.get("max_cost_usd"))
            .and_then(serde_json::Value::as_f64),
        ..Limits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_run_that_waits_is_small() {
        let size = size(execute);
        assert!(size < 4096, "{size} bytes for each run, however many wait");
    }
}
