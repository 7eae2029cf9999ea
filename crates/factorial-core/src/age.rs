//! How long the oldest queued task of an agent has waited.
//!
//! Read by the dashboard. Ready queues are by owner, so the oldest task is looked for among all owners that are in the
//! ring of the agent.

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::{AgentName, TaskId},
    script::Reply,
    store::Store,
};

/// Queues that are read in one round trip.
const AT_ONCE: usize = 500;

/// The oldest queued task of an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oldest {
    /// Since when it waits, ms since the Unix epoch, by Redis; `None` when nothing is queued.
    pub ready_ms: Option<u64>,
    /// Queues that were looked at: what it cost.
    pub queues: usize,
    /// There were no others.
    pub all: bool,
}

impl Store {
    /// Since when the oldest queued task of an agent waits. Of tasks at the front, which have no place in time, the first
    /// one or two of each owner are looked at; of more than `most_owners`, all partitions together, those that are next in turn.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn oldest_queued(
        &self,
        agent: &AgentName,
        most_owners: usize,
    ) -> Result<Oldest, StoreError> {
        let mut queues = Vec::new();
        for partition in self.all_partitions() {
            let left = most_owners.saturating_sub(queues.len());
            if left == 0 {
                break;
            }
            let mut ring = redis::cmd("ZRANGE");
            ring.arg(self.0.keys.ring(partition, agent))
                .arg(0)
                .arg(left - 1);
            let owners = self.list("ring", &ring).await?;
            queues.extend(
                owners
                    .iter()
                    .map(|own| self.0.keys.ready(partition, agent, own)),
            );
        }
        let mut oldest: Option<u64> = None;
        let mut front = Vec::new();
        for queues in queues.chunks(AT_ONCE) {
            let mut pipe = redis::pipe();
            for queue in queues {
                pipe.cmd("ZRANGE")
                    .arg(queue)
                    .arg(0)
                    .arg(1)
                    .arg("WITHSCORES");
            }
            let mut replies = Reply::new("ready queue", self.0.link.pipeline(&pipe).await?);
            for _ in queues {
                for (score, id) in replies.scored()? {
                    match u64::try_from(score) {
                        Ok(0) | Err(_) => front.push(id),
                        Ok(ready) => oldest = Some(oldest.map_or(ready, |o| o.min(ready))),
                    }
                }
            }
        }
        for ids in front.chunks(AT_ONCE) {
            let mut pipe = redis::pipe();
            for id in ids {
                let id: TaskId = id
                    .parse()
                    .map_err(|_| StoreError::corrupt("ready queue", id.clone()))?;
                pipe.cmd("HGET").arg(self.0.keys.task(&id)).arg("ready");
            }
            let mut replies = Reply::new("task", self.0.link.pipeline(&pipe).await?);
            for _ in ids {
                let ready = replies.text_or_nil()?.and_then(|text| text.parse().ok());
                oldest = match (oldest, ready) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        Ok(Oldest {
            ready_ms: oldest,
            queues: queues.len(),
            all: queues.len() < most_owners,
        })
    }
}
