//! `set_webhooks.lua`: what a partition knows of the webhooks of an owner.

use crate::{
    error::StoreError,
    ids::{OwnerId, Partition},
    script::{Script, script},
    store::Store,
    webhook::Webhook,
};

static SET_WEBHOOKS: Script = script!("set_webhooks");

impl Store {
    pub(crate) async fn set_webhooks(
        &self,
        partition: Partition,
        owner: &OwnerId,
        version: &str,
        webhooks: &[Webhook],
    ) -> Result<(), StoreError> {
        let mut call = SET_WEBHOOKS
            .on(&self.base(partition))
            .arg(owner.as_str())
            .arg(version);
        for webhook in webhooks.iter().filter(|webhook| webhook.on) {
            call = call.arg(webhook.id.as_str()).arg(webhook.receiver.types());
        }
        let mut reply = call.run(&self.0.link).await?;
        match reply.text()?.as_str() {
            "ok" | "older" => Ok(()),
            other => Err(reply.corrupt(other)),
        }
    }
}
