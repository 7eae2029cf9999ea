//! Names of the worker's metrics.

/// Runs that a worker ended, by `agent` and `outcome` (completed, failed, backoff, handed_back, lost).
pub const RUNS_ENDED: &str = "factorial_worker_runs_ended_total";
/// Seconds that a run took, by `agent`.
pub const RUN_SECONDS: &str = "factorial_worker_run_duration_seconds";
/// Tasks claimed, by `agent`.
pub const CLAIMED: &str = "factorial_worker_claimed_total";
/// Slots in use, by `agent`.
pub const SLOTS_IN_USE: &str = "factorial_worker_slots_in_use";
/// Slots, by `agent`.
pub const SLOTS: &str = "factorial_worker_slots";
/// Writes that were refused because the lease was lost.
pub const FENCED: &str = "factorial_worker_fenced_writes_total";
/// Seconds that a heartbeat took.
pub const HEARTBEAT_SECONDS: &str = "factorial_worker_heartbeat_duration_seconds";
/// Model calls committed, by `agent` and `model`.
pub const MODEL_CALLS: &str = "factorial_worker_model_calls_total";
/// Seconds of a model call, by `agent` and `model`.
pub const MODEL_SECONDS: &str = "factorial_worker_model_call_duration_seconds";
/// Seconds to the first token of a reply, by `agent` and `model`.
pub const FIRST_TOKEN_SECONDS: &str = "factorial_worker_time_to_first_token_seconds";
/// Tokens committed, by `agent`, `model` and `kind` (input, cached_input, output, reasoning).
pub const TOKENS: &str = "factorial_worker_tokens_total";
/// Tool calls committed, by `agent` and `outcome` (completed, failed).
pub const TOOL_CALLS: &str = "factorial_worker_tool_calls_total";
