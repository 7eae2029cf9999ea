//! `add_webhook.lua`: a webhook of an owner.

use crate::{
    error::StoreError,
    ids::WebhookId,
    script::{Script, script},
    store::Store,
    webhook::Webhook,
};

static ADD_WEBHOOK: Script = script!("add_webhook");

/// Most webhooks of an owner.
const MOST: usize = 16;

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddedWebhook {
    /// It is there, and all partitions know it.
    Added,
    /// The owner has the same already, as this one; it is on.
    Exists(WebhookId),
    /// The owner has as many as allowed.
    Full,
}

impl Store {
    /// Adds a webhook of an owner; it is told of what happens from here on.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn add_webhook(&self, webhook: &Webhook) -> Result<AddedWebhook, StoreError> {
        let mut reply = ADD_WEBHOOK
            .on(&self.root())
            .arg(webhook.id.as_str())
            .arg(webhook.owner.as_str())
            .arg(webhook.print())
            .arg(MOST)
            .arg(webhook.definition()?)
            .run(&self.0.link)
            .await?;
        let added = match reply.text()?.as_str() {
            "added" => AddedWebhook::Added,
            "exists" => {
                let id = reply.text()?;
                match id.parse() {
                    // The call was repeated below us after its connection broke.
                    Ok(id) if id == webhook.id => AddedWebhook::Added,
                    Ok(id) => AddedWebhook::Exists(id),
                    Err(_) => return Err(reply.corrupt(id)),
                }
            }
            "full" => return Ok(AddedWebhook::Full),
            other => return Err(reply.corrupt(other)),
        };
        self.spread_webhooks(&webhook.owner).await?;
        Ok(added)
    }
}
