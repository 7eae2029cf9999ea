//! Metrics of transitions that any service may make, counted where their outcome is read.
//!
//! Invariant: a transition is counted once, by the process that was told that it has happened. Those of script calls are in
//! `script.rs`.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use metrics::{Counter, counter, histogram};

use crate::{
    ids::AgentName,
    script::{SCRIPT_DURATION, SCRIPT_ERRORS},
};

/// Tasks accepted, by `agent`.
const ENQUEUED: &str = "factorial_tasks_enqueued_total";
/// Tasks that ended, by `outcome` (completed, failed, cancelled).
const FINISHED: &str = "factorial_tasks_finished_total";
/// Tasks that are to be attempted again, by `cause` (lease_expired, handed_back, backoff, retry).
const REQUEUED: &str = "factorial_tasks_requeued_total";
/// Seconds from the acceptance of the first waiting steering message to the commit that applied it.
const STEERING_SECONDS: &str = "factorial_task_steering_wait_seconds";
/// Seconds from the expiry of a lease to the step that took it.
const RECOVERY_SECONDS: &str = "factorial_task_recovery_delay_seconds";

/// Gives the recorder the help texts of the metrics of transitions and script calls.
pub fn describe() {
    metrics::describe_counter!(
        ENQUEUED,
        "Tasks accepted: by the gateway from clients, by a worker as children."
    );
    metrics::describe_counter!(
        FINISHED,
        "Tasks ended: completed, failed, cancelled; counted by whoever ended them."
    );
    metrics::describe_counter!(
        REQUEUED,
        "Tasks to be attempted again: lease_expired (recovered), handed_back, backoff, retry (by an operator)."
    );
    metrics::describe_histogram!(
        STEERING_SECONDS,
        "From the acceptance of the first waiting steering message to the commit that applied it; in the worker."
    );
    metrics::describe_histogram!(
        RECOVERY_SECONDS,
        "From the expiry of a lease to its task being queued or stopped; in the reaper."
    );
    metrics::describe_histogram!(
        SCRIPT_DURATION,
        "A script call, round trip included; enqueues and finishes that travel together are one call."
    );
    metrics::describe_counter!(SCRIPT_ERRORS, "Script calls that failed as a whole.");
}

/// Accepted tasks by agent; each is looked up once, since a lookup by labels costs more than what is counted.
#[derive(Default)]
pub(crate) struct Accepted(RwLock<HashMap<AgentName, Counter>>);

impl Accepted {
    /// One more.
    pub(crate) fn count(&self, agent: &AgentName) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(agent) {
            counter.increment(1);
            return;
        }
        drop(known);
        let counter = counter!(ENQUEUED, "agent" => agent.to_string());
        counter.increment(1);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(agent.clone(), counter);
    }
}

pub(crate) fn completed() {
    counter!(FINISHED, "outcome" => "completed").increment(1);
}

pub(crate) fn failed(tasks: u64) {
    counter!(FINISHED, "outcome" => "failed").increment(tasks);
}

pub(crate) fn cancelled(tasks: u64) {
    counter!(FINISHED, "outcome" => "cancelled").increment(tasks);
}

/// Why a task is attempted again.
#[derive(Clone, Copy)]
pub(crate) enum Requeued {
    LeaseExpired,
    HandedBack,
    Backoff,
    Retry,
}

pub(crate) fn requeued(cause: Requeued, tasks: u64) {
    match cause {
        Requeued::LeaseExpired => counter!(REQUEUED, "cause" => "lease_expired"),
        Requeued::HandedBack => counter!(REQUEUED, "cause" => "handed_back"),
        Requeued::Backoff => counter!(REQUEUED, "cause" => "backoff"),
        Requeued::Retry => counter!(REQUEUED, "cause" => "retry"),
    }
    .increment(tasks);
}

pub(crate) fn steered(waited: Duration) {
    histogram!(STEERING_SECONDS).record(waited.as_secs_f64());
}

pub(crate) fn recovered(late: Duration) {
    histogram!(RECOVERY_SECONDS).record(late.as_secs_f64());
}
