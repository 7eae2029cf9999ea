//! `settle_delivery.lua`: what came of a try.

use std::time::Duration;

use crate::{
    error::StoreError,
    script::{Script, script},
    scripts::due_deliveries::Leased,
    store::Store,
};

static SETTLE_DELIVERY: Script = script!("settle_delivery");

/// What came of a try to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The receiver has it.
    Delivered,
    /// It is given up.
    Failed,
    /// The receiver wants no more: it is given up, and a webhook of a task or a batch is taken off.
    Gone,
    /// It is tried again after a time.
    Again(Duration),
}

impl Store {
    /// Notes what came of a try. False: somebody else has it by now, or it has ended.
    ///
    /// # Errors
    /// When Redis does not answer: the call can be repeated.
    pub async fn settle_delivery(
        &self,
        leased: &Leased,
        outcome: Settled,
        said: &str,
        took: Duration,
    ) -> Result<bool, StoreError> {
        let (word, delay) = match outcome {
            Settled::Delivered => ("delivered", Duration::ZERO),
            Settled::Failed => ("failed", Duration::ZERO),
            Settled::Gone => ("gone", Duration::ZERO),
            Settled::Again(delay) => ("again", delay),
        };
        let mut reply = SETTLE_DELIVERY
            .on(&self.base(leased.delivery.id.partition()))
            .arg(leased.delivery.id.as_str())
            .arg(&*leased.lease)
            .arg(word)
            .arg(said)
            .arg(took.as_millis().to_string())
            .arg(delay.as_millis().to_string())
            .run(&self.0.link)
            .await?;
        match reply.text()?.as_str() {
            "ok" => Ok(true),
            "stale" => Ok(false),
            other => Err(reply.corrupt(other)),
        }
    }
}
