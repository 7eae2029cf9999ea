//! How the tests speak to the system: through the gateway, with its client.

use std::net::TcpListener;

use factorial_api::{
    ErrorCode, InputMessage, InputRole, SteerRequest, SteerResponse, SubmitTask, Task,
};
use factorial_client::{Client, ClientError, RetryPolicy};
use factorial_core::TaskId;

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The system said no.
    Refused(ErrorCode),
    /// It did not answer.
    Unreachable(String),
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        match error.code() {
            Some(code) => Self::Refused(code),
            None => Self::Unreachable(error.to_string()),
        }
    }
}

/// A question to an agent, of the owner `somebody`.
#[must_use]
pub fn ask(agent: &str, query: impl Into<String>) -> SubmitTask {
    SubmitTask {
        agent: agent.to_owned(),
        owner_id: "somebody".to_owned(),
        query: Some(query.into()),
        ..SubmitTask::default()
    }
}

/// Where calls go.
pub(super) struct Front {
    pub(super) port: u16,
    /// Repeats what may be repeated.
    pub(super) client: Client,
    /// Says at once how it is.
    impatient: Client,
}

impl Front {
    /// For a gateway that will listen on a port which is free now.
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let client = |retry| {
            Client::builder(format!("http://127.0.0.1:{port}"))
                .retry(retry)
                .build()
                .expect("a client")
        };
        Self {
            port,
            client: client(RetryPolicy::default()),
            impatient: client(RetryPolicy::never()),
        }
    }

    pub(super) async fn submit(&self, task: &SubmitTask) -> Result<TaskId, Refusal> {
        Ok(id(&self.client.submit(task, None).await?.task))
    }

    pub(super) async fn submit_once(
        &self,
        task: &SubmitTask,
        key: &str,
    ) -> Result<TaskId, Refusal> {
        Ok(id(&self.impatient.submit(task, Some(key)).await?.task))
    }

    pub(super) async fn cancel(&self, id: &TaskId) -> Result<(), Refusal> {
        Ok(self
            .client
            .cancel(id.as_str(), Some("tested"))
            .await
            .map(drop)?)
    }

    pub(super) async fn retry(&self, id: &TaskId) -> Result<(), Refusal> {
        Ok(self.client.retry(id.as_str()).await.map(drop)?)
    }

    pub(super) async fn steer(
        &self,
        id: &TaskId,
        request: &SteerRequest,
    ) -> Result<SteerResponse, Refusal> {
        // A full inbox is an answer here, not a reason to come back.
        Ok(self.impatient.steer(id.as_str(), request).await?)
    }
}

fn id(task: &Task) -> TaskId {
    task.id.parse().expect("a task id")
}

/// A user's message.
pub(super) fn user(text: &str) -> InputMessage {
    InputMessage {
        role: InputRole::User,
        content: text.to_owned(),
    }
}
