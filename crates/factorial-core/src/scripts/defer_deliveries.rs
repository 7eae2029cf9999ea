//! `defer_deliveries.lua`: puts deliveries back that were not tried.

use std::time::Duration;

use crate::{
    error::StoreError,
    ids::Partition,
    script::{Script, script},
    scripts::due_deliveries::Leased,
    store::Store,
};

static DEFER_DELIVERIES: Script = script!("defer_deliveries");

impl Store {
    /// Puts deliveries of a partition back, each to be handed out again after its delay.
    ///
    /// # Errors
    /// When Redis does not answer: they come again when their leases are over.
    pub async fn defer_deliveries(
        &self,
        partition: Partition,
        deliveries: &[(Leased, Duration)],
    ) -> Result<(), StoreError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let mut call = DEFER_DELIVERIES.on(&self.base(partition));
        for (leased, delay) in deliveries {
            call = call
                .arg(leased.delivery.id.as_str())
                .arg(&*leased.lease)
                .arg(delay.as_millis().to_string());
        }
        let mut reply = call.run(&self.0.link).await?;
        match reply.text()?.as_str() {
            "ok" => Ok(()),
            other => Err(reply.corrupt(other)),
        }
    }
}
