//! `retry_delivery.lua`: somebody wants it to be tried again.

use crate::{
    delivery::DeliveryId,
    error::StoreError,
    ids::OwnerId,
    script::{Script, script},
    store::Store,
};

static RETRY_DELIVERY: Script = script!("retry_delivery");

impl Store {
    /// Tries a delivery again at once, with all its tries before it. False: it is not there, or another owner's.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn retry_delivery(
        &self,
        id: &DeliveryId,
        owner: Option<&OwnerId>,
    ) -> Result<bool, StoreError> {
        let mut reply = RETRY_DELIVERY
            .on(&self.base(id.partition()))
            .arg(id.as_str())
            .arg(owner.map_or("", OwnerId::as_str))
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "queued" => Ok(true),
            "gone" => Ok(false),
            other => Err(reply.corrupt(other)),
        }
    }
}
