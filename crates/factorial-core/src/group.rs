//! Calls that are made at the same time for tasks of one partition travel as one script call, a *group*.
//!
//! Nobody waits for company: a call goes out at once while fewer than [`MOST_IN_FLIGHT`] are under way, and those that
//! come meanwhile go out together as soon as one of these has its answer. So an idle process has no added latency, and
//! a busy one pays for a call, a look at the clock, counters and indexes once a group instead of once a task.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use deadpool_redis::redis::{Arg, Cmd};
use tokio::sync::oneshot;

use crate::{
    error::{StoreError, UnavailableReason},
    ids::Partition,
    script::{Reply, Script},
    store::Store,
};

/// Calls of one kind that a partition may have under way: one that Redis works on, and one on its way.
const MOST_IN_FLIGHT: usize = 2;
/// Tasks of a group: bounds the time of the script.
pub(crate) const MOST_TASKS: usize = 64;
/// Bytes of a group, unless a single task has more.
const MOST_BYTES: usize = 256 * 1024;

type Answer = oneshot::Receiver<Result<Reply, StoreError>>;

/// One task's part of a call, and who waits for its reply.
struct Part {
    args: Cmd,
    bytes: usize,
    reply: oneshot::Sender<Result<Reply, StoreError>>,
}

#[derive(Default)]
struct Queue {
    in_flight: usize,
    waiting: VecDeque<Part>,
}

/// The calls of one script, by partition.
#[derive(Clone)]
pub(crate) struct Groups(Arc<Shared>);

struct Shared {
    script: &'static Script,
    /// Arguments before the parts, the same for all.
    common: Box<[String]>,
    queues: Box<[Mutex<Queue>]>,
}

impl Groups {
    pub(crate) fn new(
        script: &'static Script,
        common: impl Into<Box<[String]>>,
        partitions: u16,
    ) -> Self {
        Self(Arc::new(Shared {
            script,
            common: common.into(),
            queues: (0..partitions).map(|_| Mutex::default()).collect(),
        }))
    }

    /// Runs one task's part, alone or in a group.
    pub(crate) async fn run(
        &self,
        store: &Store,
        partition: Partition,
        args: Cmd,
    ) -> Result<Reply, StoreError> {
        let answer = match self.join(partition, args) {
            Ok(waiting) => waiting,
            Err(args) => {
                let _turn = Turn {
                    groups: self,
                    store,
                    partition,
                };
                return one(self.call(store, partition, [&args]).await);
            }
        };
        answer.await.unwrap_or_else(|_| {
            let reason = UnavailableReason::Connection;
            Err(StoreError::unavailable(reason, "the process ends"))
        })
    }

    /// Takes a turn and gives the arguments back, or leaves them to whoever has one.
    fn join(&self, partition: Partition, args: Cmd) -> Result<Answer, Cmd> {
        let Some(mut queue) = self.queue(partition) else {
            return Err(args);
        };
        if queue.in_flight < MOST_IN_FLIGHT {
            queue.in_flight += 1;
            return Err(args);
        }
        let (reply, answer) = oneshot::channel();
        let bytes = args
            .args_iter()
            .map(|arg| {
                if let Arg::Simple(bytes) = arg {
                    bytes.len()
                } else {
                    0
                }
            })
            .sum();
        queue.waiting.push_back(Part { args, bytes, reply });
        Ok(answer)
    }

    /// One script call for some parts.
    pub(crate) async fn call<'a>(
        &self,
        store: &Store,
        partition: Partition,
        parts: impl IntoIterator<Item = &'a Cmd>,
    ) -> Result<Vec<Result<Reply, StoreError>>, StoreError> {
        let mut call = self
            .0
            .script
            .on(&store.base(partition))
            .args(&self.0.common);
        let mut count = 0;
        for part in parts {
            call = call.part(part);
            count += 1;
        }
        call.run(&store.0.link).await?.parts(count)
    }

    fn queue(&self, partition: Partition) -> Option<MutexGuard<'_, Queue>> {
        let queue = self.0.queues.get(usize::from(partition.0))?;
        Some(queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next group; none, and the turn is over, when nobody waits.
    fn next(&self, partition: Partition) -> Vec<Part> {
        let Some(mut queue) = self.queue(partition) else {
            return Vec::new();
        };
        let (mut count, mut bytes) = (0, 0);
        for part in queue.waiting.iter().take(MOST_TASKS) {
            bytes += part.bytes;
            if count > 0 && bytes > MOST_BYTES {
                break;
            }
            count += 1;
        }
        if count == 0 {
            queue.in_flight -= 1;
        }
        queue.waiting.drain(..count).collect()
    }

    /// All who wait, if the error is one that would meet them as well.
    fn give_up(&self, partition: Partition, error: &StoreError) -> VecDeque<Part> {
        let queue = self.queue(partition).filter(|_| error.is_unavailable());
        queue.map_or_else(VecDeque::new, |mut queue| {
            std::mem::take(&mut queue.waiting)
        })
    }

    /// Sends group after group until nobody waits.
    async fn send(self, store: Store, partition: Partition, mut parts: Vec<Part>) {
        while !parts.is_empty() {
            let args = parts.iter().map(|part| &part.args);
            let replies = self.call(&store, partition, args).await;
            // Redis is away: those behind must not wait for as many timeouts as there are groups before them.
            let behind = replies.as_ref().err().map(|e| self.give_up(partition, e));
            // Before the answers, so that nobody who has one finds the turn still taken.
            let after = self.next(partition);
            match replies {
                Ok(replies) => {
                    for (part, reply) in parts.into_iter().zip(replies) {
                        let _ = part.reply.send(reply);
                    }
                }
                Err(error) => {
                    for part in parts.into_iter().chain(behind.into_iter().flatten()) {
                        let _ = part.reply.send(Err(error.clone()));
                    }
                }
            }
            parts = after;
        }
    }
}

fn one(replies: Result<Vec<Result<Reply, StoreError>>, StoreError>) -> Result<Reply, StoreError> {
    replies?
        .pop()
        .unwrap_or_else(|| Err(StoreError::corrupt("group", "no reply")))
}

/// A call under way. When it ends, or its caller gives up, what has come meanwhile goes out.
struct Turn<'a> {
    groups: &'a Groups,
    store: &'a Store,
    partition: Partition,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let parts = self.groups.next(self.partition);
        if parts.is_empty() {
            return;
        }
        let sending = self
            .groups
            .clone()
            .send(self.store.clone(), self.partition, parts);
        // Without a runtime nobody waits either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(sending);
        }
    }
}
