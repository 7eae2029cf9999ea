//! Names of keys and channels: the only place, with `segments.rs`, where they are made.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use crate::{
    delivery::DeliveryId,
    ids::{AgentName, BatchId, Namespace, OwnerId, Partition, TaskId, WorkerId},
    owners::Owners,
    segments as s,
    slots::{SLOTS, slot},
};

/// Makes the names of one namespace.
#[derive(Clone, Debug)]
pub struct Keys {
    namespace: Namespace,
    /// Of each partition, what is added to its tag so that its slot lies in its part of a cluster; empty: nothing is.
    spread: Arc<[u32]>,
}

/// The hash tag of a partition.
struct Tag<'a>(&'a Keys, Partition);

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(keys, partition) = self;
        match keys.spread.get(usize::from(partition.0)) {
            Some(added) => write!(f, "{}:{partition}.{added}", keys.namespace),
            None => write!(f, "{}:{partition}", keys.namespace),
        }
    }
}

impl Keys {
    /// Names of a namespace.
    #[must_use]
    pub fn new(namespace: Namespace) -> Self {
        Self {
            namespace,
            spread: Arc::default(),
        }
    }

    /// Names of a namespace whose partitions divide the slots of a cluster evenly: the first has its slot in the first part
    /// of them, and so on, so that servers with as many slots have as many partitions, give or take one.
    #[must_use]
    pub fn spread(namespace: Namespace, partitions: u16) -> Self {
        let plain = Self::new(namespace);
        let added = (0..partitions).map(|partition| {
            let mut tag = String::new();
            (0_u32..)
                .find(|added| {
                    tag.clear();
                    // Writing to a text cannot fail.
                    let _ = write!(tag, "{}.{added}", Tag(&plain, Partition(partition)));
                    let slot = u32::from(slot(tag.as_bytes()));
                    slot * u32::from(partitions) / u32::from(SLOTS) == u32::from(partition)
                })
                .unwrap_or_default()
        });
        Self {
            spread: added.collect(),
            ..plain
        }
    }

    /// `{namespace:partition}:`, the start of every key of a partition, with its hash tag; on a cluster
    /// `{namespace:partition.number}:`.
    #[must_use]
    pub fn base(&self, partition: Partition) -> String {
        format!("{{{}}}:", Tag(self, partition))
    }

    fn of_task(&self, id: &TaskId, suffix: &str) -> String {
        format!("{{{}}}:{}{id}{suffix}", Tag(self, id.partition()), s::TASK)
    }

    /// Hash of a task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> String {
        self.of_task(id, "")
    }
    /// Conversation of a task.
    #[must_use]
    pub fn log(&self, id: &TaskId) -> String {
        self.of_task(id, s::LOG)
    }
    /// Event log of a task.
    #[must_use]
    pub fn events(&self, id: &TaskId) -> String {
        self.of_task(id, s::EVENTS)
    }
    /// Channel of the events of a task.
    #[must_use]
    pub fn event_channel(&self, id: &TaskId) -> String {
        format!("{}{}{id}", self.base(id.partition()), s::EVENT_CHANNEL)
    }
    /// Feed of an owner.
    #[must_use]
    pub fn feed(&self, partition: Partition, owner: &OwnerId) -> String {
        format!("{}{}{owner}", self.base(partition), s::FEED)
    }
    /// Channel of the feed of an owner.
    #[must_use]
    pub fn feed_channel(&self, partition: Partition, owner: &OwnerId) -> String {
        format!("{}{}{owner}", self.base(partition), s::FEED_CHANNEL)
    }
    /// Channel of the signals to a worker.
    #[must_use]
    pub fn worker_channel(&self, partition: Partition, worker: &WorkerId) -> String {
        format!("{}{}{worker}", self.base(partition), s::WORKER_CHANNEL)
    }
    /// Channel that says that a task became the next one due.
    #[must_use]
    pub fn due_channel(&self, partition: Partition) -> String {
        format!("{}{}", self.base(partition), s::DUE_CHANNEL)
    }
    /// Index of the tasks of an agent.
    #[must_use]
    pub fn by_agent(&self, partition: Partition, agent: &AgentName) -> String {
        format!("{}{}{agent}", self.base(partition), s::BY_AGENT)
    }
    /// Index of the tasks of an owner.
    #[must_use]
    pub fn by_owner(&self, partition: Partition, owner: &OwnerId) -> String {
        format!("{}{}{owner}", self.base(partition), s::BY_OWNER)
    }
    /// Wake list of an agent.
    #[must_use]
    pub fn wake(&self, partition: Partition, agent: &AgentName) -> String {
        format!("{}{}{agent}", self.base(partition), s::WAKE)
    }
    /// Ring of the owners with queued tasks of an agent.
    #[must_use]
    pub fn ring(&self, partition: Partition, agent: &AgentName) -> String {
        format!("{}{}{agent}", self.base(partition), s::RING)
    }
    /// Counters by agent and state.
    #[must_use]
    pub fn counts(&self, partition: Partition) -> String {
        format!("{}{}", self.base(partition), s::COUNTS)
    }
    /// Index of a place: `lease`, `delay`, `pending`, `done:<state>`.
    #[must_use]
    pub fn place(&self, partition: Partition, place: &str) -> String {
        format!("{}{place}", self.base(partition))
    }
    /// Waits of a task.
    #[must_use]
    pub fn waits(&self, id: &TaskId) -> String {
        self.of_task(id, s::WAITS)
    }
    /// Children of a task, in the order in which they were spawned.
    #[must_use]
    pub fn offspring(&self, id: &TaskId) -> String {
        self.of_task(id, s::OFFSPRING)
    }
    /// Hash of a batch.
    #[must_use]
    pub fn batch(&self, id: &BatchId) -> String {
        format!("{}{}{id}", self.base(id.partition()), s::BATCH)
    }
    /// Event log of a batch.
    #[must_use]
    pub fn batch_events(&self, id: &BatchId) -> String {
        format!("{}{}", self.batch(id), s::EVENTS)
    }
    /// Channel of the events of a batch.
    #[must_use]
    pub fn batch_channel(&self, id: &BatchId) -> String {
        format!("{}{}{id}", self.base(id.partition()), s::EVENT_CHANNEL)
    }
    /// Indexes of all batches, or of those of some owners.
    #[must_use]
    pub fn batches(&self, partition: Partition, owners: &Owners) -> Vec<String> {
        let base = self.base(partition);
        match owners.listed() {
            Some(owners) => owners
                .iter()
                .map(|owner| format!("{base}{}{owner}", s::OWNER_BATCHES))
                .collect(),
            None => vec![format!("{base}{}", s::BATCHES)],
        }
    }
    /// One bucket of the timeline of an agent.
    #[must_use]
    pub fn timeline(
        &self,
        partition: Partition,
        agent: &AgentName,
        bucket_ms: u64,
        start_ms: u64,
    ) -> String {
        format!(
            "{}{}{agent}:{bucket_ms}:{start_ms}",
            self.base(partition),
            s::TIMELINE
        )
    }

    /// Deliveries that have not ended.
    #[must_use]
    pub fn outbox(&self, partition: Partition) -> String {
        format!("{}{}", self.base(partition), s::OUTBOX)
    }
    /// Hash of a delivery.
    #[must_use]
    pub fn delivery(&self, id: &DeliveryId) -> String {
        format!("{}{}{id}", self.base(id.partition()), s::DELIVERY)
    }
    /// Deliveries of a webhook, a task or a batch.
    #[must_use]
    pub fn deliveries(&self, partition: Partition, log: &str) -> String {
        format!("{}{}{log}", self.base(partition), s::DELIVERIES)
    }
    /// Channel that says that something is to be delivered.
    #[must_use]
    pub fn outbox_channel(&self, partition: Partition) -> String {
        format!("{}{}", self.base(partition), s::OUTBOX_CHANNEL)
    }
    /// Last tokens and turns, and which agents are paused.
    #[must_use]
    pub fn seq(&self, partition: Partition) -> String {
        format!("{}{}", self.base(partition), s::SEQ)
    }
    /// Ready queue of an agent; `own` is a member of its ring, `<priority>:<owner>`.
    #[must_use]
    pub fn ready(&self, partition: Partition, agent: &AgentName, own: &str) -> String {
        format!("{}{}{agent}:{own}", self.base(partition), s::READY)
    }

    // Of the whole namespace, in a slot of their own.

    /// Start of the keys that scripts know.
    #[must_use]
    pub fn root(&self) -> String {
        format!("{{{}}}:", self.namespace)
    }
    /// Hash: webhook of an owner -> its definition.
    #[must_use]
    pub fn webhooks(&self) -> String {
        format!("{}{}", self.root(), s::WEBHOOKS)
    }
    /// Hash: owner whose webhooks not all partitions know -> version.
    #[must_use]
    pub fn webhook_changes(&self) -> String {
        format!("{}{}", self.root(), s::WEBHOOK_CHANGES)
    }

    /// Hash: number of partitions, schema version.
    #[must_use]
    pub fn meta(&self) -> String {
        format!("{{{}}}:meta", self.namespace)
    }
    /// Hash: agent -> announcement (JSON).
    #[must_use]
    pub fn agents(&self) -> String {
        format!("{{{}}}:agents", self.namespace)
    }
    /// Hash: agent -> what may be shown of its definition (JSON)
    #[must_use]
    pub fn definitions(&self) -> String {
        format!("{{{}}}:definitions", self.namespace)
    }
    /// Hash: chore -> its last success (JSON), and `<chore>:done` -> what it has done in all.
    #[must_use]
    pub fn chores(&self) -> String {
        format!("{{{}}}:chores", self.namespace)
    }
    /// Hash with expiry: an hour of the timeline of an agent that is over, all partitions together.
    #[must_use]
    pub fn hour(&self, agent: &AgentName, start_ms: u64) -> String {
        format!("{{{}}}:hour:{agent}:{start_ms}", self.namespace)
    }
    /// Hash: API key -> its record (JSON), without its secret.
    #[must_use]
    pub fn api_keys(&self) -> String {
        format!("{{{}}}:keys", self.namespace)
    }
    /// Hash: API key -> when it was used last (ms).
    #[must_use]
    pub fn api_key_uses(&self) -> String {
        format!("{{{}}}:keys:used", self.namespace)
    }
    /// Channel: `key <id>` was made or revoked, `session <digest>` has ended.
    #[must_use]
    pub fn api_key_channel(&self) -> String {
        format!("{{{}}}:key", self.namespace)
    }
    /// String with expiry: a session, by the digest of its id.
    #[must_use]
    pub fn session(&self, digest: &str) -> String {
        format!("{{{}}}:session:{digest}", self.namespace)
    }
    /// Stream: who changed what.
    #[must_use]
    pub fn audit(&self) -> String {
        format!("{{{}}}:audit", self.namespace)
    }
    /// Sorted set: worker -> when its announcement lapses (ms).
    #[must_use]
    pub fn workers(&self) -> String {
        format!("{{{}}}:workers", self.namespace)
    }
    /// String with expiry: announcement of a worker (JSON).
    #[must_use]
    pub fn worker(&self, worker: &WorkerId) -> String {
        format!("{{{}}}:worker:{worker}", self.namespace)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Masters of a cluster have as many slots each, one after the other.
    #[test]
    fn partitions_are_spread_over_masters() {
        let namespace = Namespace::new("factorial").unwrap();
        for (partitions, masters, most) in
            [(12, 3, 4), (12, 4, 3), (12, 6, 2), (1, 1, 1), (16, 3, 6)]
        {
            let keys = Keys::spread(namespace.clone(), partitions);
            let mut shares = vec![0; masters];
            for p in 0..partitions {
                let slot = slot(keys.base(Partition(p)).as_bytes());
                shares[usize::from(slot) * masters / usize::from(SLOTS)] += 1;
            }
            assert_eq!(
                shares.iter().max(),
                Some(&most),
                "{partitions}/{masters}: {shares:?}"
            );
        }
    }

    #[test]
    fn a_plain_namespace_has_plain_names() {
        let keys = Keys::new(Namespace::new("n").unwrap());
        assert_eq!(keys.base(Partition(3)), "{n:3}:");
        let id: TaskId = "3-01m83m1snzrjk19s4b2j4ev5g4".parse().unwrap();
        assert_eq!(keys.log(&id), "{n:3}:t:3-01m83m1snzrjk19s4b2j4ev5g4:m");
    }
}
