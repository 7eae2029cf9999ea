//! Through a gateway, each caller on a connection of its own.

use factorial_api::SubmitTask;
use factorial_client::Client;
use tokio::time::Instant;

use super::callers::{Submitted, at_the_same_time};
use crate::error::BenchError;
use crate::progress::Progress;
use crate::rest::Door;

/// Accepts `count` tasks that are alike, each client with one call at a time.
///
/// # Errors
/// The first that is not accepted.
pub(crate) async fn through_gateway(
    door: &Door,
    clients: Vec<Client>,
    task: &SubmitTask,
    count: usize,
    progress: &dyn Progress,
) -> Result<Submitted, BenchError> {
    let callers = clients.into_iter().map(|client| {
        let (door, task) = (door.clone(), task.clone());
        move |_: usize| {
            let (door, client, task) = (door.clone(), client.clone(), task.clone());
            async move {
                let started = Instant::now();
                let id = door.submit(&client, &task).await?;
                Ok((vec![id], started.elapsed()))
            }
        }
    });
    at_the_same_time(callers, count, progress).await
}
