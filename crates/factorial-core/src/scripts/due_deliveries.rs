//! `due_deliveries.lua`: hands out deliveries.

use std::time::Duration;

use crate::{
    delivery::{Delivery, DeliveryId, Raw},
    error::StoreError,
    ids::Partition,
    script::{Script, script},
    scripts::promote::next_due,
    store::Store,
};

static DUE_DELIVERIES: Script = script!("due_deliveries");

/// Values of each after its lease.
const VALUES: usize = 9;

/// A delivery that was handed out.
#[derive(Clone, Debug)]
pub struct Leased {
    /// The delivery.
    pub delivery: Delivery,
    /// What tells this lease from another, for whoever settles it.
    pub lease: String,
}

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct DueDeliveries {
    /// Those that are due.
    pub due: Vec<Leased>,
    /// When there is more; `None`: nothing waits.
    pub next: Option<Duration>,
}

impl Store {
    /// Hands out up to `most` deliveries of a partition that are due; nobody else gets them for `lease`.
    ///
    /// # Errors
    /// When Redis does not answer: what was handed out comes again when the lease is over.
    pub async fn due_deliveries(
        &self,
        partition: Partition,
        most: usize,
        lease: Duration,
    ) -> Result<DueDeliveries, StoreError> {
        let mut reply = DUE_DELIVERIES
            .on(&self.base(partition))
            .arg(most)
            .arg(lease.as_millis().to_string())
            .run(&self.0.link)
            .await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let next = next_due(&mut reply)?;
        let mut due = Vec::new();
        while !reply.is_empty() {
            let (id, lease) = (reply.text()?, reply.text()?);
            let values = (0..VALUES).map(|_| reply.text_or_nil());
            let raw = Raw(values.collect::<Result<_, _>>()?);
            let delivery = DeliveryId::new(&id).ok().map(|id| raw.decode(id));
            // One that cannot be read must not hold up the others; it comes again, and is told again.
            match delivery {
                Some(Ok(Some(delivery))) => due.push(Leased { delivery, lease }),
                Some(Ok(None)) | None => tracing::error!(delivery.id = id, "no such delivery"),
                Some(Err(error)) => {
                    tracing::error!(delivery.id = id, %error, "delivery cannot be read");
                }
            }
        }
        Ok(DueDeliveries { due, next })
    }
}
