//! Agents and workers.

use factorial_api::{Agent, Page, Worker};

use crate::{client::Client, error::ClientError, tasks::page};

impl Client {
    /// A page of the agents that workers have announced, by name.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn agents(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<Agent>, ClientError> {
        self.get(&["v1", "agents"], &page(cursor, limit)).await
    }

    /// An agent.
    ///
    /// # Errors
    /// When no worker has announced it, or the call remains unanswered.
    pub async fn agent(&self, name: &str) -> Result<Agent, ClientError> {
        self.get(&["v1", "agents", name], &[]).await
    }

    /// A page of the workers that are there, by id.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn workers(
        &self,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Page<Worker>, ClientError> {
        self.get(&["v1", "workers"], &page(cursor, limit)).await
    }
}
