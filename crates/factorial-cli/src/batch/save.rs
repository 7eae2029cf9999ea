//! Writes results, a line each, as they come.

use std::path::Path;
use std::pin::pin;

use factorial_api::TaskStatus;
use futures::StreamExt as _;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};

use crate::error::CliError;
use crate::gateway::Gateway;

/// Writes the results to a file, or for `-` to standard output. Says whether it was that.
///
/// # Errors
/// When they cannot be had or written.
pub(crate) async fn save(
    gateway: &Gateway,
    id: &str,
    after: Option<u64>,
    status: Option<TaskStatus>,
    path: &Path,
) -> Result<bool, CliError> {
    if path == Path::new("-") {
        let out = tokio::io::stdout();
        copy(gateway, id, after, status, out, CliError::Output).await?;
        return Ok(true);
    }
    to_file(gateway, id, after, status, path).await?;
    Ok(false)
}

/// Writes the results to a file and says how many there are.
///
/// # Errors
/// When they cannot be had or written.
pub(crate) async fn to_file(
    gateway: &Gateway,
    id: &str,
    after: Option<u64>,
    status: Option<TaskStatus>,
    path: &Path,
) -> Result<(), CliError> {
    let failed = |source| CliError::Write {
        path: path.display().to_string(),
        source,
    };
    let file = File::create(path).await.map_err(failed)?;
    let count = copy(gateway, id, after, status, file, failed).await?;
    let path = path.display();
    gateway.printer.note(&format!("{count} results in {path}"));
    Ok(())
}

async fn copy(
    gateway: &Gateway,
    id: &str,
    after: Option<u64>,
    status: Option<TaskStatus>,
    out: impl AsyncWrite,
    failed: impl Fn(std::io::Error) -> CliError,
) -> Result<u64, CliError> {
    let mut out = pin!(BufWriter::new(out));
    let mut results = pin!(gateway.client.batch_results(id, after, status));
    let mut count = 0;
    while let Some(result) = results.next().await {
        let result = result.map_err(|source| gateway.failed(source))?;
        let mut line = serde_json::to_vec(&result).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        out.write_all(&line).await.map_err(&failed)?;
        count += 1;
    }
    out.flush().await.map_err(&failed)?;
    Ok(count)
}
