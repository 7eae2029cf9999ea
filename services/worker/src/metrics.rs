//! Names of the worker's metrics.

/// Runs that a worker ended, by `agent` and `outcome` (completed, failed, backoff, handed_back, lost).
pub const RUNS_ENDED: &str = "factorial_worker_runs_ended_total";
/// Seconds that a run took, by `agent`.
pub const RUN_SECONDS: &str = "factorial_worker_run_duration_seconds";
/// Tasks claimed, by `agent`.
pub const CLAIMED: &str = "factorial_worker_claimed_total";
/// Seconds that a task has waited in the queue when it is claimed, by `agent`.
pub const QUEUE_WAIT_SECONDS: &str = "factorial_queue_wait_seconds";
/// Seconds of a turn from the begin of its model call to its last tool result, by `agent`; of one that waited in between, nothing.
pub const TURN_SECONDS: &str = "factorial_worker_turn_duration_seconds";
/// Seconds from the signal that a task was cancelled to the end of its model call and tools, by `agent`.
pub const CANCEL_SECONDS: &str = "factorial_worker_cancel_latency_seconds";
/// Slots in use, by `agent`.
pub const SLOTS_IN_USE: &str = "factorial_worker_slots_in_use";
/// Slots, by `agent`.
pub const SLOTS: &str = "factorial_worker_slots";
/// Writes that were refused because the lease was lost.
pub const FENCED: &str = "factorial_worker_fenced_writes_total";
/// Seconds that a heartbeat took.
pub const HEARTBEAT_SECONDS: &str = "factorial_worker_heartbeat_duration_seconds";
/// Model calls committed, by `agent`, `provider` and `model`.
pub const MODEL_CALLS: &str = "factorial_worker_model_calls_total";
/// Seconds of a model call, by `agent`, `provider` and `model`.
pub const MODEL_SECONDS: &str = "factorial_worker_model_call_duration_seconds";
/// Seconds to the first token of a reply, by `agent`, `provider` and `model`.
pub const FIRST_TOKEN_SECONDS: &str = "factorial_worker_time_to_first_token_seconds";
/// Tokens committed, by `agent`, `provider`, `model` and `kind` (input, cached_input, output, reasoning).
pub const TOKENS: &str = "factorial_worker_tokens_total";
/// US dollars of the committed replies of models that have a price, by `agent`, `provider` and `model`. A gauge for the recorder,
/// whose counters have no fractions; it only grows.
pub const COST: &str = "factorial_worker_cost_usd_total";
/// Seconds of a tool call, by `agent` and `tool`: tools of the agent's definition, `other` for those of callers.
pub const TOOL_SECONDS: &str = "factorial_worker_tool_call_duration_seconds";
/// Tool calls committed, by `agent` and `outcome` (completed, failed).
pub const TOOL_CALLS: &str = "factorial_worker_tool_calls_total";

/// Gives the recorder the help texts.
pub fn describe() {
    factorial_agent::describe_metrics();
    metrics::describe_counter!(
        RUNS_ENDED,
        "Runs ended: completed, parked, failed, backoff, handed_back, lost."
    );
    metrics::describe_histogram!(RUN_SECONDS, "A run in this worker.");
    metrics::describe_counter!(CLAIMED, "Tasks claimed, which is attempts begun.");
    metrics::describe_histogram!(
        QUEUE_WAIT_SECONDS,
        "How long a task has waited in the queue when it is claimed."
    );
    metrics::describe_histogram!(
        TURN_SECONDS,
        "From the begin of a model call to the last result of its tools; nothing of a turn that was parked."
    );
    metrics::describe_histogram!(
        CANCEL_SECONDS,
        "From the signal that a task is cancelled to the end of its model call and tools."
    );
    metrics::describe_gauge!(SLOTS_IN_USE, "Slots in use.");
    metrics::describe_gauge!(SLOTS, "Slots.");
    metrics::describe_counter!(FENCED, "Writes refused because the lease was lost.");
    metrics::describe_histogram!(HEARTBEAT_SECONDS, "Renewal of all leases.");
    metrics::describe_counter!(MODEL_CALLS, "Model calls committed.");
    metrics::describe_histogram!(MODEL_SECONDS, "A committed model call.");
    metrics::describe_histogram!(
        FIRST_TOKEN_SECONDS,
        "To the first token of a committed reply."
    );
    metrics::describe_counter!(
        TOKENS,
        "Tokens committed: input, of these cached_input; output, of these reasoning."
    );
    metrics::describe_gauge!(
        COST,
        "US dollars of committed replies of models that have a price; only grows (a gauge because it has fractions)."
    );
    metrics::describe_histogram!(
        TOOL_SECONDS,
        "A committed call that ran here; `tool` is one of the agent's definition, or `other`."
    );
    metrics::describe_counter!(TOOL_CALLS, "Tool calls committed.");
}
