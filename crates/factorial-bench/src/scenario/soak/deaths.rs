//! A worker that is killed in the middle of its work, and replaced, again and again.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::BenchError;
use crate::stage::Stage;

/// Between two deaths, at most.
const MOST: Duration = Duration::from_secs(30);

/// Says how often it died. The last one lives until nothing is left to do.
pub(super) async fn deaths(
    stage: &Stage<'_>,
    slots: usize,
    model_url: &str,
    lasts: Duration,
    done: &CancellationToken,
) -> Result<u64, BenchError> {
    let life = (lasts / 4).min(MOST);
    let mut killed = 0;
    loop {
        let worker = stage.worker(slots, Some(model_url.to_owned())).await?;
        if done.run_until_cancelled(sleep(life)).await.is_none() {
            worker.stop().await?;
            return Ok(killed);
        }
        worker.kill().await?;
        killed += 1;
    }
}
