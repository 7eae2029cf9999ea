//! Where traces go.

use secrecy::SecretString;
use url::Url;

use crate::config::group::config_group;

config_group! {
    /// Traces, as OTLP over HTTP. Without an endpoint there are none, and they cost nothing.
    pub struct TelemetryConfig, "Traces", in "telemetry" {
        /// Base URL of an OpenTelemetry collector; spans are posted to `/v1/traces` below it, as protobuf.
        otlp_endpoint: Option<Url>, env "OTEL_EXPORTER_OTLP_ENDPOINT";
        /// Headers of these requests: `name=value`, separated by commas; values are percent-encoded.
        otlp_headers: Option<SecretString>, env "OTEL_EXPORTER_OTLP_HEADERS";
        /// Part of the traces that begin here that are recorded. Requests that belong to a trace follow its flag.
        trace_ratio: f64 = "1", range 0.0 to 1.0;
        /// Puts what is said to and by models and tools into spans.
        capture_content: bool = "false";
    }
}
