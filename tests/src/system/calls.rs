//! What clients of the system do.

use std::sync::PoisonError;

use factorial_api::{SteerMode, SteerRequest, SteerResponse, SubmitTask};
use factorial_client::Client;
use factorial_core::TaskId;

use super::{
    System,
    front::{self, Refusal},
};

impl System {
    /// Where the gateway is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.front.port)
    }

    /// The gateway's client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.front.client
    }

    /// A task was accepted, which a test has submitted by itself.
    pub fn note(&self, id: &TaskId) {
        self.accepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone());
    }

    /// Submits a task that has to be accepted; tries again while the gateway or Redis is away for a moment.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn submit(&self, task: SubmitTask) -> TaskId {
        let submitted = self.front.submit(&task).await;
        let id = submitted.unwrap_or_else(|refusal| panic!("{task:?}: {refusal:?}"));
        self.note(&id);
        id
    }

    /// Submits a task under an idempotency key, once.
    ///
    /// # Errors
    /// The refusal.
    pub async fn submit_once(&self, task: &SubmitTask, key: &str) -> Result<TaskId, Refusal> {
        let id = self.front.submit_once(task, key).await?;
        self.note(&id);
        Ok(id)
    }

    /// Cancels a task.
    ///
    /// # Errors
    /// The refusal.
    pub async fn cancel(&self, id: &TaskId) -> Result<(), Refusal> {
        self.front.cancel(id).await
    }

    /// Has an ended task run again.
    ///
    /// # Errors
    /// The refusal.
    pub async fn retry(&self, id: &TaskId) -> Result<(), Refusal> {
        self.front.retry(id).await
    }

    /// Steers a task by one message.
    ///
    /// # Errors
    /// The refusal.
    pub async fn steer(
        &self,
        id: &TaskId,
        text: &str,
        mode: SteerMode,
    ) -> Result<SteerResponse, Refusal> {
        let messages = vec![front::user(text)];
        self.front
            .steer(
                id,
                &SteerRequest {
                    messages,
                    mode,
                    client_id: None,
                },
            )
            .await
    }

    /// Steers a task.
    ///
    /// # Errors
    /// The refusal.
    pub async fn steer_with(
        &self,
        id: &TaskId,
        request: &SteerRequest,
    ) -> Result<SteerResponse, Refusal> {
        self.front.steer(id, request).await
    }
}
