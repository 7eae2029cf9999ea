//! The public port and its limits.

use std::time::Duration;

use crate::config::group::config_group;

config_group! {
    /// The REST interface for clients.
    pub struct GatewayConfig, "Gateway", in "gateway" {
        /// Address that the gateway listens on.
        host: String = "127.0.0.1", name "gateway_host";
        /// Port that the gateway listens on; 0 takes any free one.
        port: u16 = "8000", name "gateway_port";
        /// Largest request body in bytes; a larger one is answered with 413.
        max_body_bytes: usize = "1048576", range 1024.0 to 104857600.0;
        /// Largest batch as NDJSON in bytes; a larger one is answered with 413. Each line is bound by `max_body_bytes`.
        max_batch_bytes: u64 = "536870912", range 1024.0 to 1099511627776.0;
        /// Batches being submitted at once; those beyond are answered with 503 and `Retry-After`.
        max_batch_uploads: usize = "8", range 1.0 to 10000.0;
        /// Requests in progress at once; those beyond are answered with 503 and `Retry-After`.
        max_concurrent_requests: usize = "1024", range 1.0 to 1000000.0;
        /// Event streams open at once, counted apart from other requests.
        max_event_streams: usize = "4096", range 1.0 to 1000000.0;
        /// Seconds between keep-alive comments on a quiet event stream.
        stream_keep_alive_seconds: Duration = "15", range 1.0 to 300.0;
        /// Seconds that open requests and streams may go on after a termination signal.
        grace_period_seconds: Duration = "10", name "gateway_grace_period_seconds", range 0.0 to 3600.0;
    }
}
