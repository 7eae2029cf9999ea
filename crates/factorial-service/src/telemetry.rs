//! Log and metrics of a process.
//!
//! Called once by each `main`, and by any number of tests in one process. Invariant: log and recorder are installed at
//! most once; whoever comes later gets the recorder that is there, and the log stays as it is.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};
use crate::metrics::{BYTES_BUCKETS, COUNT_BUCKETS, PROCESS_INFO, SECONDS_BUCKETS, describe};

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The levels are not a filter.
    #[error("invalid log levels")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The buckets are not accepted, or somebody else has installed a metrics recorder.
    #[error("cannot install the metrics recorder")]
    Recorder(#[from] BuildError),
}

// The recorder of the `metrics` crate is one for the process, and so is the handle to it.
static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Starts the log on standard error and the metrics recorder; the handle renders the metrics.
///
/// # Errors
/// When the filter is malformed, or when a recorder of another kind is installed.
pub fn init(log: &LogConfig, service: &'static str) -> Result<PrometheusHandle, TelemetryError> {
    // These libraries log what providers and servers send; payloads do not belong in a log.
    let filter = EnvFilter::try_new(format!("genai=off,rmcp=off,{}", log.level.as_str()))?;
    let json = match log.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let installed = if json {
        let layer = layer
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false);
        registry.with(layer).try_init()
    } else {
        registry.with(layer.with_target(false)).try_init()
    };
    let handle = recorder()?;
    let version = env!("CARGO_PKG_VERSION");
    metrics::gauge!(PROCESS_INFO, "service" => service, "version" => version).set(1.0);
    if installed.is_ok() {
        tracing::info!(service, version, "process started");
    }
    Ok(handle)
}

/// The metrics recorder of this process, installed at the first call.
///
/// # Errors
/// When a recorder of another kind is installed.
pub fn recorder() -> Result<PrometheusHandle, TelemetryError> {
    let mut slot = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = slot.as_ref() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES_BUCKETS)?
        .set_buckets(COUNT_BUCKETS)?
        .install_recorder()?;
    describe();
    factorial_core::describe_metrics();
    *slot = Some(handle.clone());
    Ok(handle)
}
