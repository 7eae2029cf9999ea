//! Names of the metrics that every process has, and the shape of all histograms.
//!
//! Services keep their own names in a module like this one; `telemetry` installs the recorder.
//! Invariant: labels come from closed sets; never an id or an owner.

/// Gauge, always 1. Labels: `service`, `version`.
pub const PROCESS_INFO: &str = "factorial_process_info";

/// Counter of problem documents sent. Label: `code`.
pub const HTTP_PROBLEMS_TOTAL: &str = "factorial_http_problems_total";

/// Gauge: seconds since a component last made progress. Label: `component`.
pub const HEALTH_PROGRESS_AGE_SECONDS: &str = "factorial_health_progress_age_seconds";

/// Counter of spans for the collector. Label: `outcome` (`exported`, `failed`, `dropped`).
pub const TRACE_SPANS_TOTAL: &str = "factorial_trace_spans_total";

/// Upper bounds of histograms whose name ends in `_seconds`: from a script call to a long turn.
pub const SECONDS_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0, 120.0, 300.0, 600.0,
];

/// Upper bounds of histograms whose name ends in `_bytes`: from 256 B to 64 MiB by fours.
pub const BYTES_BUCKETS: &[f64] = &[
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Upper bounds of all other histograms, which count things.
pub const COUNT_BUCKETS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0, 10_000.0,
];

/// Gives the recorder the help texts of the metrics above.
pub(crate) fn describe() {
    metrics::describe_gauge!(PROCESS_INFO, "Always 1; the labels say what runs.");
    metrics::describe_counter!(HTTP_PROBLEMS_TOTAL, "Problem documents sent, by code.");
    metrics::describe_counter!(TRACE_SPANS_TOTAL, "Spans for the collector, by outcome.");
    metrics::describe_gauge!(
        HEALTH_PROGRESS_AGE_SECONDS,
        "Seconds since a component last made progress."
    );
}
