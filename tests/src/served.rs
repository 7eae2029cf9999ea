//! What a system of a test runs on: one server, one behind Sentinels, or a cluster.

use deadpool_redis::redis::Connection;
use factorial_core::TlsOptions;

/// A Redis for a namespace of a test.
pub trait Served: Send + Sync {
    /// As `--redis-url` takes it.
    fn url(&self) -> &str;

    /// The same for services that are told user and password in another way.
    fn service_url(&self) -> &str {
        self.url()
    }

    /// Connections to all servers that have keys. Blocks.
    fn connections(&self) -> Vec<Connection>;

    /// Certificates, where TLS is spoken.
    fn tls(&self) -> TlsOptions {
        TlsOptions::default()
    }
}
