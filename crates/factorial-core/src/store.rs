//! `Store`: the one way from a service to Redis. Cheap to clone; its methods are in `scripts/`, `read.rs`, `list.rs`,
//! `registry.rs`, `wake.rs`, `live.rs`, `signals.rs` and `timeline.rs`.

use std::{borrow::Cow, sync::Arc};

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    group::Groups,
    ids::{Namespace, Partition, TaskId},
    keys::Keys,
    link::Link,
    live::Hub,
    metrics::Accepted,
    script::Base,
    timeline::TimelineConfig,
};

/// A namespace in Redis.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) link: Arc<Link>,
    pub(crate) keys: Keys,
    pub(crate) bases: Box<[Box<str>]>,
    pub(crate) timeline: TimelineConfig,
    pub(crate) timeline_arg: String,
    pub(crate) max_conversation_bytes: u64,
    pub(crate) namespace: Namespace,
    pub(crate) live: Hub,
    pub(crate) enqueues: Groups,
    pub(crate) finishes: Groups,
    pub(crate) accepted: Accepted,
}

/// A task that a worker holds: what every write of it must carry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The task.
    pub id: TaskId,
    /// Its fencing token.
    pub token: u64,
}

impl Store {
    /// Number of partitions of the namespace.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        u16::try_from(self.0.bases.len()).unwrap_or(u16::MAX)
    }

    /// All of them.
    pub fn all_partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.partitions()).map(Partition)
    }

    /// Most bytes of a conversation; a task whose input is larger is refused.
    #[must_use]
    pub fn max_conversation_bytes(&self) -> u64 {
        self.0.max_conversation_bytes
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &Namespace {
        &self.0.namespace
    }

    /// Whether the id can be one of this namespace; one of a partition that does not exist cannot.
    #[must_use]
    pub fn owns(&self, id: &TaskId) -> bool {
        id.partition().0 < self.partitions()
    }

    /// The base key of a partition; that of a partition that does not exist holds nothing.
    pub(crate) fn base(&self, partition: Partition) -> Base<'_> {
        let made = self.0.bases.get(usize::from(partition.0));
        let key = made.map_or_else(
            || Cow::Owned(self.0.keys.base(partition)),
            |base| Cow::Borrowed(&**base),
        );
        Base::new(key, &self.0.link)
    }

    /// The start of the keys that are no partition's.
    pub(crate) fn root(&self) -> Base<'_> {
        Base::new(self.0.keys.root(), &self.0.link)
    }

    /// Names of the keys of this namespace.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// One round trip.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.0.link.command(&redis::cmd("PING")).await.map(drop)
    }
}
