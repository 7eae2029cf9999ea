//! `remove_webhook.lua`: an owner wants to be told no more.

use crate::{
    error::StoreError,
    ids::{OwnerId, WebhookId},
    script::{Script, script},
    store::Store,
};

static REMOVE_WEBHOOK: Script = script!("remove_webhook");

impl Store {
    /// Removes a webhook of an owner; says whether it was there. What is still to be delivered to it fails.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn remove_webhook(
        &self,
        id: &WebhookId,
        owner: &OwnerId,
    ) -> Result<bool, StoreError> {
        let mut reply = REMOVE_WEBHOOK
            .on(&self.root())
            .arg(id.as_str())
            .arg(owner.as_str())
            .run(&self.0.link)
            .await?;
        let removed = match reply.text()?.as_str() {
            "removed" => true,
            "gone" => false,
            other => return Err(reply.corrupt(other)),
        };
        self.spread_webhooks(owner).await?;
        Ok(removed)
    }
}
