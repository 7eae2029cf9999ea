//! Waiting for the end of a task, longer than one call may.

use std::time::Duration;

use factorial_api::TaskResult;
use tokio::time::Instant;

use crate::{client::Client, error::ClientError};

/// One long poll; below the idle times of usual proxies.
const POLL: Duration = Duration::from_secs(30);

impl Client {
    /// The result of a task, once it has ended; or its state when `patience` ends first. Without `patience`: for ever.
    ///
    /// # Errors
    /// When it is not there, or calls remain unanswered.
    pub async fn wait_result(
        &self,
        id: &str,
        patience: Option<Duration>,
    ) -> Result<TaskResult, ClientError> {
        let started = Instant::now();
        loop {
            let left = patience.map(|patience| patience.saturating_sub(started.elapsed()));
            let result = self.task_result(id, left.unwrap_or(POLL).min(POLL)).await?;
            if result.status.is_terminal() || left.is_some_and(|left| left.is_zero()) {
                return Ok(result);
            }
        }
    }
}
