//! A gateway, and the tasks that were handed in there.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use factorial_api::SubmitTask;
use factorial_client::{Client, ClientBuilder, RetryPolicy};
use factorial_core::TaskId;
use futures::{StreamExt as _, stream};

use crate::error::BenchError;

/// Cancellations at once, and how long they may take.
const AT_ONCE: usize = 16;
const CANCELLED_WITHIN: Duration = Duration::from_secs(15);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door(Arc<Inner>);

struct Inner {
    url: String,
    api_key: Option<String>,
    owner: String,
    /// Accepted, and not known to have ended.
    open: Mutex<HashSet<TaskId>>,
}

impl Door {
    /// Nothing is sent yet. All tasks are of `owner`.
    pub(crate) fn new(url: &str, api_key: Option<&str>, owner: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            url: url.to_owned(),
            api_key: api_key.map(str::to_owned),
            owner: owner.into(),
            open: Mutex::default(),
        }))
    }

    /// Somebody with a connection of their own, who tries every call once: what is measured is a call.
    ///
    /// # Errors
    /// When the URL or the key cannot be used.
    pub(crate) fn client(&self) -> Result<Client, BenchError> {
        Ok(self.builder().retry(RetryPolicy::never()).build()?)
    }

    /// So many of them.
    ///
    /// # Errors
    /// When the URL or the key cannot be used.
    pub(crate) fn clients(&self, count: usize) -> Result<Vec<Client>, BenchError> {
        (0..count.max(1)).map(|_| self.client()).collect()
    }

    /// Somebody who tries again, as clients do.
    ///
    /// # Errors
    /// When the URL or the key cannot be used.
    pub(crate) fn patient_client(&self) -> Result<Client, BenchError> {
        Ok(self.builder().build()?)
    }

    fn builder(&self) -> ClientBuilder {
        let builder = Client::builder(&self.0.url);
        match &self.0.api_key {
            Some(key) => builder.api_key(key),
            None => builder,
        }
    }

    /// A task as it is handed in.
    pub(crate) fn task(&self, agent: &str, query: impl Into<String>) -> SubmitTask {
        SubmitTask {
            agent: agent.to_owned(),
            owner_id: self.0.owner.clone(),
            query: Some(query.into()),
            ..SubmitTask::default()
        }
    }

    /// Hands a task in.
    ///
    /// # Errors
    /// When it is not accepted, or was before.
    pub(crate) async fn submit(
        &self,
        client: &Client,
        task: &SubmitTask,
    ) -> Result<TaskId, BenchError> {
        let submitted = client.submit(task, None).await?;
        let id: TaskId = submitted.task.id.parse()?;
        if self.open().insert(id.clone()) {
            Ok(id)
        } else {
            Err(BenchError::Delivery(format!("two tasks have the id {id}")))
        }
    }

    /// A task has ended.
    pub(crate) fn ended(&self, id: &TaskId) {
        self.open().remove(id);
    }

    /// Cancels what has not ended, as far as that is possible now.
    pub(crate) async fn cancel_open(&self) {
        let Ok(client) = self.patient_client() else {
            return;
        };
        let open: Vec<TaskId> = self.open().drain().collect();
        let cancelling = stream::iter(open).for_each_concurrent(AT_ONCE, |id| {
            let client = client.clone();
            async move {
                // One that has ended meanwhile refuses, as it should.
                let _ = client
                    .cancel(id.as_str(), Some("factorial bench ends"))
                    .await;
            }
        });
        let _ = tokio::time::timeout(CANCELLED_WITHIN, cancelling).await;
    }

    fn open(&self) -> MutexGuard<'_, HashSet<TaskId>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
