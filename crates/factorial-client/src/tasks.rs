//! Reading and changing tasks.

use std::time::Duration;

use factorial_api::{
    CancelRequest, EventPage, MessagePage, SteerRequest, SteerResponse, Task, TaskPage, TaskResult,
    TaskStatus, TaskStatusView, Time,
};
use reqwest::Method;
use ulid::Ulid;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
};

/// Which tasks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only this owner's.
    pub owner_id: Option<String>,
    /// Only this agent's.
    pub agent: Option<String>,
    /// Only in one of these states; none: in any.
    pub status: Vec<TaskStatus>,
    /// Only members of this batch.
    pub batch_id: Option<String>,
    /// Only with this text in their id or metadata.
    pub text: Option<String>,
    /// Only made at this time or later.
    pub created_after: Option<Time>,
    /// Only made before this time.
    pub created_before: Option<Time>,
    /// Only ended at this time or later.
    pub finished_after: Option<Time>,
    /// Only ended before this time.
    pub finished_before: Option<Time>,
    /// Only those that this worker runs.
    pub worker_id: Option<String>,
}

impl Client {
    /// A page of tasks, newest first.
    ///
    /// # Errors
    /// When it is refused or remains unanswered.
    pub async fn tasks(
        &self,
        filter: &TaskFilter,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<TaskPage, ClientError> {
        let mut query = page(cursor, limit);
        query.extend(filter.owner_id.clone().map(|owner| ("owner_id", owner)));
        query.extend(filter.agent.clone().map(|agent| ("agent", agent)));
        if !filter.status.is_empty() {
            let names: Vec<&str> = filter.status.iter().map(|s| s.as_str()).collect();
            query.push(("status", names.join(",")));
        }
        query.extend(filter.batch_id.clone().map(|batch| ("batch_id", batch)));
        query.extend(filter.text.clone().map(|text| ("q", text)));
        query.extend(filter.worker_id.clone().map(|worker| ("worker_id", worker)));
        for (name, time) in [
            ("created_after", filter.created_after),
            ("created_before", filter.created_before),
            ("finished_after", filter.finished_after),
            ("finished_before", filter.finished_before),
        ] {
            query.extend(time.map(|time| (name, time.to_string())));
        }
        self.get(&["v1", "tasks"], &query).await
    }

    /// A task.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn task(&self, id: &str) -> Result<Task, ClientError> {
        self.get(&["v1", "tasks", id], &[]).await
    }

    /// The state of a task.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn task_status(&self, id: &str) -> Result<TaskStatusView, ClientError> {
        self.get(&["v1", "tasks", id, "status"], &[]).await
    }

    /// The result of a task, or its state after `wait`, at most 60 s.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn task_result(&self, id: &str, wait: Duration) -> Result<TaskResult, ClientError> {
        let query = [("wait", wait.as_secs_f64().to_string())];
        let request = self.request_with(Method::GET, &["v1", "tasks", id, "result"], &query);
        let timeout = self.0.timeout + wait;
        self.send(request, Repeat::Safe, timeout).await?.decode()
    }

    /// A page of the conversation of a task, oldest first.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn messages(
        &self,
        id: &str,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<MessagePage, ClientError> {
        self.get(&["v1", "tasks", id, "messages"], &page(cursor, limit))
            .await
    }

    /// A page of the events of a task after a `seq`, oldest first.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn event_page(
        &self,
        id: &str,
        starting_after: u64,
        limit: Option<u32>,
    ) -> Result<EventPage, ClientError> {
        let mut query = page(None, limit);
        query.push(("starting_after", starting_after.to_string()));
        self.get(&["v1", "tasks", id, "events"], &query).await
    }

    /// Cancels a task. To cancel it again is no error.
    ///
    /// # Errors
    /// When it is not there, has ended otherwise, or the call remains unanswered.
    pub async fn cancel(&self, id: &str, reason: Option<&str>) -> Result<Task, ClientError> {
        let body = CancelRequest {
            reason: reason.map(str::to_owned),
        };
        let request = self.request(Method::POST, &["v1", "tasks", id, "cancel"]);
        self.send(request.json(&body), Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// Hands messages to a task. Sent again after a failure, they are still applied once: by their `client_id`, or one
    /// made for this call. `accepted` is then 0 although they were. A parked task is woken by `interrupt` alone: what it
    /// awaits is given up.
    ///
    /// # Errors
    /// When they are refused, or the call remains unanswered.
    pub async fn steer(
        &self,
        id: &str,
        steer: &SteerRequest,
    ) -> Result<SteerResponse, ClientError> {
        let mut steer = steer.clone();
        steer
            .client_id
            .get_or_insert_with(|| Ulid::generate().to_string());
        let request = self.request(Method::POST, &["v1", "tasks", id, "steer"]);
        self.send(request.json(&steer), Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// Runs a failed or cancelled task again. Never sent twice: the task might have ended again in between.
    ///
    /// # Errors
    /// When it is not there, or in another state, or the call remains unanswered.
    pub async fn retry(&self, id: &str) -> Result<Task, ClientError> {
        let request = self.request(Method::POST, &["v1", "tasks", id, "retry"]);
        self.send(request, Repeat::Never, self.0.timeout)
            .await?
            .decode()
    }
}

/// The parameters of a page.
pub(crate) fn page(cursor: Option<&str>, limit: Option<u32>) -> Vec<(&'static str, String)> {
    let cursor = cursor.map(|cursor| ("cursor", cursor.to_owned()));
    let limit = limit.map(|limit| ("limit", limit.to_string()));
    cursor.into_iter().chain(limit).collect()
}
