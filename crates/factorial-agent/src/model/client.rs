//! The one HTTP client of a process.
//!
//! Used by all models and HTTP tools, so that connections are kept and shared.

use std::time::Duration;

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("http client: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// A client that keeps connections, gives up connecting after 10 s, and follows no redirects.
///
/// # Errors
/// [`ClientError`] if TLS cannot be set up.
pub fn http_client() -> Result<reqwest::Client, ClientError> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(60))
        // A redirect would carry keys and idempotency keys to a place that nobody configured.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("factorial/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}
