//! Names of keys and channels: the only place, with `segments.rs`, where they are made.

use crate::{
    delivery::DeliveryId,
    ids::{AgentName, BatchId, Namespace, OwnerId, Partition, TaskId, WorkerId},
    segments as s,
};

/// Makes the names of one namespace.
#[derive(Clone, Debug)]
pub struct Keys {
    namespace: Namespace,
}

impl Keys {
    /// Names of a namespace.
    #[must_use]
    pub fn new(namespace: Namespace) -> Self {
        Self { namespace }
    }

    /// `{namespace:partition}:`, the start of every key of a partition, with its hash tag.
    #[must_use]
    pub fn base(&self, partition: Partition) -> String {
        format!("{{{}:{partition}}}:", self.namespace)
    }

    fn of_task(&self, id: &TaskId, suffix: &str) -> String {
        format!(
            "{{{}:{}}}:{}{id}{suffix}",
            self.namespace,
            id.partition(),
            s::TASK
        )
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
    /// Index of all batches, or of those of an owner.
    #[must_use]
    pub fn batches(&self, partition: Partition, owner: Option<&OwnerId>) -> String {
        match owner {
            Some(owner) => format!("{}{}{owner}", self.base(partition), s::OWNER_BATCHES),
            None => format!("{}{}", self.base(partition), s::BATCHES),
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
