//! Agents and workers.

use factorial_api::{Agent, Page, Worker};
use reqwest::Method;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
    tasks::page,
};

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

    /// Pauses an agent: its tasks are accepted and wait, and those that run go on.
    ///
    /// # Errors
    /// When no worker has announced it, or the call remains unanswered.
    pub async fn pause_agent(&self, name: &str) -> Result<Agent, ClientError> {
        self.set_paused(name, "pause").await
    }

    /// Resumes an agent.
    ///
    /// # Errors
    /// When no worker has announced it, or the call remains unanswered.
    pub async fn resume_agent(&self, name: &str) -> Result<Agent, ClientError> {
        self.set_paused(name, "resume").await
    }

    async fn set_paused(&self, name: &str, what: &str) -> Result<Agent, ClientError> {
        let request = self.request(Method::POST, &["v1", "agents", name, what]);
        self.send(request, Repeat::Safe, self.0.timeout)
            .await?
            .decode()
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
