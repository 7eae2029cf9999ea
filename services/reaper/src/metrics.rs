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
/// Workers whose heartbeat has not lapsed.
pub const WORKERS: &str = "factorial_workers";
