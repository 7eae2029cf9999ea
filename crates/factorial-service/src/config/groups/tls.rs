//! TLS of the public ports.

use std::path::PathBuf;

use crate::config::group::config_group;
use crate::config::reader::Reader;

config_group! {
    /// TLS on the public port of a gateway or a dashboard. Without it they speak plain HTTP, for a proxy in front.
    pub struct TlsConfig, "TLS", in "tls" {
        /// File with the certificate and those that it was signed with, as PEM; read again when it changes.
        cert: Option<PathBuf>, name "tls_cert";
        /// File with the private key of the certificate, as PEM.
        key: Option<PathBuf>, name "tls_key";
    }
    check check_both;
}

fn check_both(config: &TlsConfig, reader: &mut Reader<'_>) {
    match (&config.cert, &config.key) {
        (Some(_), None) => reader.reject("tls_cert", "tls_key is missing: the two go together"),
        (None, Some(_)) => reader.reject("tls_key", "tls_cert is missing: the two go together"),
        _ => {}
    }
}
