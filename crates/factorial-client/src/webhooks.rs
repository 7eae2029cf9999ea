//! Webhooks of owners, and deliveries.

use factorial_api::{AddWebhook, OwnerSecret, Page, Webhook, WebhookDelivery};
use reqwest::Method;

use crate::{
    client::{Client, Repeat},
    error::ClientError,
};

impl Client {
    /// Adds a webhook of an owner. The same again is the same one.
    ///
    /// # Errors
    /// When it is refused, or remains unanswered.
    pub async fn add_webhook(&self, webhook: &AddWebhook) -> Result<Webhook, ClientError> {
        let request = self.request(Method::POST, &["v1", "webhooks"]);
        self.send(request.json(webhook), Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// The webhooks of an owner, oldest first.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn webhooks(&self, owner_id: &str) -> Result<Page<Webhook>, ClientError> {
        let query = [("owner_id", owner_id.to_owned())];
        self.get(&["v1", "webhooks"], &query).await
    }

    /// A webhook of an owner.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn webhook(&self, id: &str) -> Result<Webhook, ClientError> {
        self.get(&["v1", "webhooks", id], &[]).await
    }

    /// Removes a webhook of an owner.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered; sent again after that, it may not be there any more.
    pub async fn remove_webhook(&self, id: &str) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &["v1", "webhooks", id]);
        let sent = self.send(request, Repeat::Never, self.0.timeout).await;
        sent.map(drop)
    }

    /// What webhooks of an owner are signed with that have no secret of their own.
    ///
    /// # Errors
    /// When the call remains unanswered.
    pub async fn webhook_secret(&self, owner_id: &str) -> Result<OwnerSecret, ClientError> {
        let query = [("owner_id", owner_id.to_owned())];
        self.get(&["v1", "webhooks", "secret"], &query).await
    }

    /// The last deliveries to a webhook of an owner, newest first.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn webhook_deliveries(&self, id: &str) -> Result<Page<WebhookDelivery>, ClientError> {
        self.get(&["v1", "webhooks", id, "deliveries"], &[]).await
    }

    /// The last deliveries of events of a task, newest first.
    ///
    /// # Errors
    /// When the task is not there, or the call remains unanswered.
    pub async fn task_webhook_deliveries(
        &self,
        id: &str,
    ) -> Result<Page<WebhookDelivery>, ClientError> {
        let path = ["v1", "tasks", id, "webhook-deliveries"];
        self.get(&path, &[]).await
    }

    /// The last deliveries of events of a batch, and of its members to its webhook, newest first.
    ///
    /// # Errors
    /// When the batch is not there, or the call remains unanswered.
    pub async fn batch_webhook_deliveries(
        &self,
        id: &str,
    ) -> Result<Page<WebhookDelivery>, ClientError> {
        let path = ["v1", "batches", id, "webhook-deliveries"];
        self.get(&path, &[]).await
    }

    /// Tries a delivery again at once.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn retry_webhook_delivery(&self, id: &str) -> Result<WebhookDelivery, ClientError> {
        let path = ["v1", "webhook-deliveries", id, "retry"];
        let request = self.request(Method::POST, &path);
        self.send(request, Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }
}
