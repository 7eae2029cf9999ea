//! What operators see: metrics, traces and probes of real processes.
#![expect(clippy::unwrap_used, reason = "tests")]

mod collector;
mod metrics;
mod probes;
mod traces;

use std::time::Duration;

/// Longer than anything takes that is not broken.
const SOON: Duration = Duration::from_secs(20);
