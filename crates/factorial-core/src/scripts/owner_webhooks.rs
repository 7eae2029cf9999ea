//! `owner_webhooks.lua`: the webhooks of an owner, and how all partitions learn of them.

use crate::{
    error::StoreError,
    ids::OwnerId,
    script::{Script, script},
    store::Store,
    webhook::Webhook,
};

static OWNER_WEBHOOKS: Script = script!("owner_webhooks");

impl Store {
    /// The webhooks of an owner, oldest first.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn owner_webhooks(&self, owner: &OwnerId) -> Result<Vec<Webhook>, StoreError> {
        self.read_webhooks(owner, "").await.map(|(_, found)| found)
    }

    /// Tells all partitions which webhooks an owner has. Whoever changes them calls it; reapers do for one that died.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated, and is by reapers.
    pub async fn spread_webhooks(&self, owner: &OwnerId) -> Result<(), StoreError> {
        let mut spread = String::new();
        loop {
            let (version, webhooks) = self.read_webhooks(owner, &spread).await?;
            if version == spread {
                return Ok(());
            }
            for partition in self.all_partitions() {
                self.set_webhooks(partition, owner, &version, &webhooks)
                    .await?;
            }
            spread = version;
        }
    }

    /// The version, and they.
    async fn read_webhooks(
        &self,
        owner: &OwnerId,
        spread: &str,
    ) -> Result<(String, Vec<Webhook>), StoreError> {
        let mut reply = OWNER_WEBHOOKS
            .on(&self.root())
            .arg(owner.as_str())
            .arg(spread)
            .run(&self.0.link)
            .await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let version = reply.text()?;
        let mut webhooks = Vec::new();
        while !reply.is_empty() {
            let id = reply.text()?;
            let id = id.parse().map_err(|_| reply.corrupt(id))?;
            webhooks.push(Webhook::decode(id, &reply.text()?)?);
        }
        Ok((version, webhooks))
    }
}
