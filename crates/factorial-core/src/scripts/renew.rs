//! `renew.lua`: the heartbeat.

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;

use crate::{
    error::StoreError,
    ids::{Partition, TaskId},
    script::{Script, script},
    store::{Held, Store},
    task::TaskState,
};

static RENEW: Script = script!("renew");

/// Leases renewed by one script call.
const CHUNK: usize = 500;

/// A lease that was not renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The task.
    pub held: Held,
    /// Its state now; `None` when it is gone.
    pub state: Option<TaskState>,
}

/// What a heartbeat did.
#[derive(Clone, Debug, Default)]
pub struct Renewed {
    /// Leases that are not the worker's any more.
    pub lost: Vec<Lost>,
    /// Why some were not renewed, if some were not.
    pub failed: Option<StoreError>,
}

impl Store {
    /// Renews leases, and says which are lost.
    ///
    /// # Errors
    /// When Redis does not answer; some may have been renewed.
    pub async fn renew(&self, held: &[Held], lease: Duration) -> Result<Vec<Lost>, StoreError> {
        let renewed = self.renew_each(held, lease).await;
        renewed.failed.map_or(Ok(renewed.lost), Err)
    }

    /// Renews the leases of a worker, as many as it can. One call per partition and 500 leases, at the same time, so that a
    /// server that is away keeps no others waiting.
    pub async fn renew_each(&self, held: &[Held], lease: Duration) -> Renewed {
        let mut by_partition: BTreeMap<Partition, Vec<&Held>> = BTreeMap::new();
        for h in held {
            by_partition.entry(h.id.partition()).or_default().push(h);
        }
        let calls = by_partition.iter().flat_map(|(partition, held)| {
            held.chunks(CHUNK)
                .map(move |chunk| self.renew_some(*partition, chunk, lease))
        });
        let mut renewed = Renewed::default();
        for result in join_all(calls).await {
            match result {
                Ok(lost) => renewed.lost.extend(lost),
                Err(error) => renewed.failed = Some(error),
            }
        }
        renewed
    }

    async fn renew_some(
        &self,
        partition: Partition,
        held: &[&Held],
        lease: Duration,
    ) -> Result<Vec<Lost>, StoreError> {
        let mut call = RENEW
            .on(&self.base(partition))
            .arg(lease.as_millis().to_string());
        for h in held {
            call = call.arg(h.id.as_str()).arg(h.token);
        }
        let mut reply = call.run(&self.0.link).await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let mut lost = Vec::new();
        while !reply.is_empty() {
            let id: TaskId = reply
                .text()?
                .parse()
                .map_err(|_| reply.corrupt("task id"))?;
            let state = reply.text()?;
            let state = if state == "gone" {
                None
            } else {
                Some(state.parse()?)
            };
            let held = held
                .iter()
                .find(|h| h.id == id)
                .ok_or_else(|| reply.corrupt("another task"))?;
            lost.push(Lost {
                held: (*held).clone(),
                state,
            });
        }
        Ok(lost)
    }
}
