//! `switch_off_webhook.lua`: a receiver wants to be told no more.

use crate::{
    error::StoreError,
    ids::{OwnerId, WebhookId},
    script::{Script, script},
    store::Store,
};

static SWITCH_OFF_WEBHOOK: Script = script!("switch_off_webhook");

impl Store {
    /// Switches a webhook of an owner off; it stays on the list.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn switch_off_webhook(
        &self,
        id: &WebhookId,
        owner: &OwnerId,
    ) -> Result<(), StoreError> {
        let mut reply = SWITCH_OFF_WEBHOOK
            .on(&self.root())
            .arg(id.as_str())
            .arg(owner.as_str())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" | "gone" => self.spread_webhooks(owner).await,
            other => Err(reply.corrupt(other)),
        }
    }
}
