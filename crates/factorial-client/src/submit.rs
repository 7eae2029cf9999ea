//! Submitting tasks.

use factorial_api::{SubmitTask, Task};
use reqwest::Method;
use ulid::Ulid;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
};

/// A task that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The task, as of the answer.
    pub task: Task,
    /// The same request had been accepted before.
    pub replayed: bool,
}

impl Client {
    /// Submits a task. Sent again after a failure, it is still accepted once: by `idempotency_key`, or one made for
    /// this call.
    ///
    /// # Errors
    /// When it is refused, or remains unanswered; then it may have been accepted all the same.
    pub async fn submit(
        &self,
        task: &SubmitTask,
        idempotency_key: Option<&str>,
    ) -> Result<Submitted, ClientError> {
        let key = idempotency_key.map_or_else(|| Ulid::generate().to_string(), str::to_owned);
        let request = self.request(Method::POST, &["v1", "tasks"]);
        let request = request.header("idempotency-key", key).json(task);
        let answer = self.send(request, Repeat::Safe, self.0.timeout).await?;
        Ok(Submitted {
            task: answer.decode()?,
            replayed: answer.headers.contains_key("idempotency-replayed"),
        })
    }
}
