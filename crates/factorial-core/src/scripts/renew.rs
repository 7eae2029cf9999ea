//! `renew.lua`: the heartbeat.

use std::{collections::BTreeMap, time::Duration};

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

impl Store {
    /// Renews the leases of a worker, and says which are lost. One call per partition and 500 leases.
    ///
    /// # Errors
    /// When Redis does not answer; some may have been renewed.
    pub async fn renew(&self, held: &[Held], lease: Duration) -> Result<Vec<Lost>, StoreError> {
        let mut by_partition: BTreeMap<Partition, Vec<&Held>> = BTreeMap::new();
        for h in held {
            by_partition.entry(h.id.partition()).or_default().push(h);
        }
        let mut lost = Vec::new();
        for (partition, held) in by_partition {
            for chunk in held.chunks(CHUNK) {
                let mut call = RENEW
                    .on(&self.base(partition))
                    .arg(lease.as_millis().to_string());
                for h in chunk {
                    call = call.arg(h.id.as_str()).arg(h.token);
                }
                let mut reply = call.run(&self.0.link).await?;
                let word = reply.text()?;
                if word != "ok" {
                    return Err(reply.corrupt(word));
                }
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
                    let held = chunk
                        .iter()
                        .find(|h| h.id == id)
                        .ok_or_else(|| reply.corrupt("another task"))?;
                    lost.push(Lost {
                        held: (*held).clone(),
                        state,
                    });
                }
            }
        }
        Ok(lost)
    }
}
