//! Asks a health address and judges the answer, for container health checks.
//!
//! Used by `factorial healthcheck`. Speaks just enough HTTP/1.0 for that, so that an image needs no other tool.
//! Invariant: ends within the time limit, and reads no more than the status line.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

/// `HTTP/1.1 200` and some room.
const MAX_STATUS_LINE: u64 = 64;

/// Why a service does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// Only `http://host[:port]/path` can be asked.
    #[error("not a plain http URL: {0}")]
    Url(String),
    /// Nobody answered in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// No connection, or it broke.
    #[error("no answer")]
    Io(#[from] io::Error),
    /// What answered does not speak HTTP.
    #[error("not an HTTP answer")]
    NotHttp,
    /// The service says that it is not well.
    #[error("status {0}")]
    Status(u16),
}

/// Sends `GET url` and succeeds on a status from 200 to 299.
///
/// # Errors
/// Anything else, and no answer within `limit`.
pub async fn healthcheck(url: &str, limit: Duration) -> Result<(), HealthcheckError> {
    let parsed = Url::parse(url).map_err(|_| HealthcheckError::Url(url.to_owned()))?;
    if parsed.scheme() != "http" {
        return Err(HealthcheckError::Url(url.to_owned()));
    }
    let status = tokio::time::timeout(limit, status_of(&parsed))
        .await
        .map_err(|_| HealthcheckError::Timeout(limit))??;
    match status {
        200..=299 => Ok(()),
        other => Err(HealthcheckError::Status(other)),
    }
}

async fn status_of(url: &Url) -> Result<u16, HealthcheckError> {
    let not_plain = || HealthcheckError::Url(url.to_string());
    let host = url.host_str().ok_or_else(not_plain)?;
    let port = url.port_or_known_default().ok_or_else(not_plain)?;
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let mut stream = TcpStream::connect((address, port)).await?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut line = Vec::new();
    stream.take(MAX_STATUS_LINE).read_to_end(&mut line).await?;
    status_in(&line).ok_or(HealthcheckError::NotHttp)
}

fn status_in(line: &[u8]) -> Option<u16> {
    let line = String::from_utf8_lossy(line);
    let (version, rest) = line.split_once(' ')?;
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    rest.get(..3)?.parse().ok()
}
