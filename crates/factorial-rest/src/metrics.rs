//! Names of the metrics of the REST interface.
//!
//! Invariant: labels come from closed sets; a path is labelled by its route, never as it was asked for.

/// Counter of answers. Labels: `method`, `route`, `status`.
pub(crate) const REQUESTS_TOTAL: &str = "factorial_http_requests_total";
/// Histogram: seconds from the head of a request to the head of its answer. Labels: `method`, `route`.
pub(crate) const REQUEST_DURATION_SECONDS: &str = "factorial_http_request_duration_seconds";
/// Gauge: requests in progress, streams not counted.
pub(crate) const REQUESTS_IN_PROGRESS: &str = "factorial_http_requests_in_progress";
/// Counter of requests refused for want of room. Label: `budget` (`requests`, `waits`, `connections`).
pub(crate) const REQUESTS_SHED_TOTAL: &str = "factorial_http_requests_shed_total";
/// Gauge: open waits. Label: `kind` (`stream`, `long_poll`).
pub(crate) const WAITS_OPEN: &str = "factorial_http_waits_open";
/// Counter of ended event streams. Label: `reason` (`finished`, `gone`, `drain`, `failed`, `client`, `key`).
pub(crate) const STREAMS_ENDED_TOTAL: &str = "factorial_http_streams_ended_total";
/// Counter of events sent by streams.
pub(crate) const STREAM_EVENTS_TOTAL: &str = "factorial_http_stream_events_total";
/// Gauge: open connections.
pub(crate) const CONNECTIONS_OPEN: &str = "factorial_http_connections_open";
/// Counter of connections closed because the client did not read what it had asked for.
pub(crate) const CONNECTIONS_STALLED_TOTAL: &str = "factorial_http_connections_stalled_total";
/// Counter of submissions. Label: `outcome` (`accepted`, `replayed`, `refused`).
pub(crate) const TASKS_SUBMITTED_TOTAL: &str = "factorial_http_tasks_submitted_total";
/// Counter of batches. Label: `outcome` (`accepted`, `replayed`, `refused`, `incomplete`).
pub(crate) const BATCHES_SUBMITTED_TOTAL: &str = "factorial_http_batches_submitted_total";

/// Counter of entries written to the audit log.
pub(crate) const AUDIT_ENTRIES_TOTAL: &str = "factorial_http_audit_entries_total";
/// Counter of entries that could not be written to the audit log.
pub(crate) const AUDIT_ENTRIES_LOST_TOTAL: &str = "factorial_http_audit_entries_lost_total";

/// Gives the recorder the help texts, and what alerts ask for.
pub fn describe() {
    metrics::describe_counter!(REQUESTS_TOTAL, "Answers, by method, route and status.");
    metrics::describe_histogram!(
        REQUEST_DURATION_SECONDS,
        "Seconds from the head of a request to the head of its answer."
    );
    metrics::describe_gauge!(REQUESTS_IN_PROGRESS, "Requests in progress.");
    metrics::describe_counter!(REQUESTS_SHED_TOTAL, "Requests refused for want of room.");
    metrics::describe_gauge!(WAITS_OPEN, "Open event streams and long polls.");
    metrics::describe_counter!(STREAMS_ENDED_TOTAL, "Ended event streams, by reason.");
    metrics::describe_counter!(STREAM_EVENTS_TOTAL, "Events sent by streams.");
    metrics::describe_gauge!(CONNECTIONS_OPEN, "Open connections.");
    metrics::describe_counter!(
        CONNECTIONS_STALLED_TOTAL,
        "Connections closed because the client did not read."
    );
    metrics::describe_counter!(TASKS_SUBMITTED_TOTAL, "Submissions, by outcome.");
    metrics::describe_counter!(BATCHES_SUBMITTED_TOTAL, "Batches, by outcome.");
    metrics::describe_counter!(AUDIT_ENTRIES_TOTAL, "Entries written to the audit log.");
    metrics::describe_counter!(
        AUDIT_ENTRIES_LOST_TOTAL,
        "Entries that could not be written to the audit log."
    );
    // An alert that asks for an increase has to see it from 0.
    metrics::counter!(AUDIT_ENTRIES_LOST_TOTAL).increment(0);
}
