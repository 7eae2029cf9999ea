//! Names of the reaper's metrics.

/// What chores did, by `chore`: tasks promoted, recovered, ended, expired, repaired.
pub const CHORE_TASKS: &str = "factorial_reaper_tasks_total";
/// Seconds that a round of a chore took, by `chore`.
pub const CHORE_SECONDS: &str = "factorial_reaper_chore_duration_seconds";
/// Unix time of the last round of a chore that succeeded, by `chore`.
pub const CHORE_SUCCESS: &str = "factorial_reaper_chore_last_success_timestamp_seconds";
/// Rounds of a chore that failed, by `chore`.
pub const CHORE_ERRORS: &str = "factorial_reaper_chore_errors_total";
/// Tries to deliver an event to a webhook that are noted, by `outcome`: delivered, retried, failed.
pub const WEBHOOK_ATTEMPTS: &str = "factorial_reaper_webhook_attempts_total";
/// Seconds that a try took.
pub const WEBHOOK_SECONDS: &str = "factorial_reaper_webhook_duration_seconds";
/// Deliveries that have not ended.
pub const WEBHOOKS_PENDING: &str = "factorial_webhook_deliveries_pending";
/// Tasks that were stopped as poison.
pub const POISONED: &str = "factorial_reaper_poisoned_total";
/// Tasks by `agent` and `state`.
pub const TASKS: &str = "factorial_tasks";
/// Seconds since the oldest queued task was queued, by `agent`; 0 when none is.
pub const OLDEST_QUEUED: &str = "factorial_oldest_queued_age_seconds";
/// Workers whose heartbeat has not lapsed.
pub const WORKERS: &str = "factorial_workers";

/// Gives the recorder the help texts.
pub fn describe() {
    metrics::describe_counter!(
        CHORE_TASKS,
        "Tasks that a chore changed; of `reconcile` it must stay 0."
    );
    metrics::describe_histogram!(CHORE_SECONDS, "A round of a chore.");
    metrics::describe_gauge!(
        CHORE_SUCCESS,
        "Unix time of the last round of a chore that succeeded."
    );
    metrics::describe_counter!(CHORE_ERRORS, "Rounds of a chore that failed.");
    metrics::describe_counter!(
        WEBHOOK_ATTEMPTS,
        "Tries to deliver an event to a webhook: delivered and failed end a delivery, retried does not."
    );
    metrics::describe_histogram!(WEBHOOK_SECONDS, "A try to deliver an event to a webhook.");
    metrics::describe_gauge!(WEBHOOKS_PENDING, "Deliveries that have not ended.");
    metrics::describe_counter!(POISONED, "Tasks stopped as poison.");
    metrics::describe_gauge!(TASKS, "Tasks.");
    metrics::describe_gauge!(
        OLDEST_QUEUED,
        "Since when the oldest queued task waits; 0 when none is. Looked for among the tasks of 1,000 owners; of more, those that are next in turn."
    );
    metrics::describe_gauge!(WORKERS, "Workers whose heartbeat has not lapsed.");
}
