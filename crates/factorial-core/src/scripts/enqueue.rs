//! `enqueue.lua`: accepts a task.

use std::{collections::BTreeMap, time::Duration};

use deadpool_redis::redis::Cmd;
use serde_json::Value;

use crate::{
    conversation::{Entry, PARTS},
    error::StoreError,
    group::MOST_TASKS,
    ids::{AgentName, BatchId, OwnerId, Partition, Priority, TaskId},
    script::{Reply, Script, script},
    store::{Held, Store},
    task::TaskState,
    wait::WaitKey,
    webhook::TaskWebhook,
};

pub(crate) static ENQUEUE: Script = script!("enqueue");

/// When a task starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// As soon as a slot is free.
    #[default]
    Now,
    /// After a delay, by the clock of Redis.
    After(Duration),
    /// At an instant, ms since the Unix epoch.
    At(i64),
}

/// An idempotency key, hashed, with what tells requests apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    key: String,
    fingerprint: String,
    keep: Duration,
}

impl Idempotency {
    /// `key` is the client's, bound to its owner; `request` the bytes that must be the same for the same key.
    #[must_use]
    pub fn new(owner: &OwnerId, key: &str, request: &[u8], keep: Duration) -> Self {
        use sha2::{Digest, Sha256};
        let hash = |parts: &[&[u8]]| {
            let mut hasher = Sha256::new();
            for part in parts {
                hasher.update(part.len().to_le_bytes());
                hasher.update(part);
            }
            hasher
                .finalize()
                .iter()
                .take(16)
                .fold(String::with_capacity(32), |mut text, byte| {
                    use std::fmt::Write as _;
                    let _ = write!(text, "{byte:02x}");
                    text
                })
        };
        Self {
            key: hash(&[owner.as_str().as_bytes(), key.as_bytes()]),
            fingerprint: hash(&[request]),
            keep,
        }
    }

    /// The partition that keeps the key, and where a task of its own lives.
    #[must_use]
    pub fn home(&self, partitions: u16) -> Partition {
        let hash = u64::from_str_radix(self.key.get(..15).unwrap_or("0"), 16).unwrap_or(0);
        Partition(u16::try_from(hash % u64::from(partitions.max(1))).unwrap_or(0))
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) fn keep_ms(&self) -> u64 {
        u64::try_from(self.keep.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A task to be accepted.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its id; in the partition of `previous` or `parent` if there is one.
    pub id: TaskId,
    /// Its agent.
    pub agent: AgentName,
    /// Its owner.
    pub owner: OwnerId,
    /// Its priority.
    pub priority: Priority,
    /// When it starts.
    pub start: Start,
    /// First entry of its conversation, an [`Entry::Input`].
    pub input: Entry,
    /// Goes on with the conversation of this task.
    pub previous: Option<TaskId>,
    /// The task that spawns it.
    pub parent: Option<Parent>,
    /// Member of this batch.
    pub batch: Option<BatchId>,
    /// Text deltas go into the event log.
    pub stream: bool,
    /// Wall-clock limit from the start.
    pub deadline: Option<Duration>,
    /// Limits given at submission, for the worker.
    pub limits: Option<Value>,
    /// Labels.
    pub metadata: BTreeMap<String, String>,
    /// Tools that the caller answers, for the worker.
    pub tools: Option<Value>,
    /// Who is told of its events.
    pub webhook: Option<TaskWebhook>,
    /// W3C trace context.
    pub trace: Option<String>,
    /// Accepts the same request once.
    pub idempotency: Option<Idempotency>,
}

/// The task that spawns a child, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its lease: nobody spawns children for a task that somebody else holds.
    pub held: Held,
    /// What the child answers; `None` when it is not awaited.
    pub wait: Option<WaitKey>,
    /// How long it is awaited; `None`: for ever.
    pub timeout: Option<Duration>,
    /// Most bytes of the child's output in its answer.
    pub answer_bytes: u64,
    /// Deepest that a task may be below its root; 32 is the most.
    pub max_depth: u32,
    /// Most descendants that a root may have had.
    pub max_descendants: u64,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// Accepted, in this state, at this time (ms since the Unix epoch, by Redis).
    Accepted(TaskState, i64),
    /// The same request was accepted before, as this task.
    Exists(TaskId),
    /// The idempotency key belongs to another request.
    KeyReused,
    /// The parent has ended, or is held by somebody else.
    ParentLost,
    /// It would be deeper below its root than allowed.
    TooDeep,
    /// Its root has had as many descendants as allowed.
    TooMany,
    /// The batch takes no more members, or is not there.
    BatchClosed,
    /// The previous task does not exist, is another owner's, or has not ended.
    PreviousUnusable,
    /// With the previous conversation it would be too large.
    ConversationTooLarge,
}

impl Store {
    /// Accepts a task. Repeating the call with the same id accepts it once.
    ///
    /// # Errors
    /// When Redis does not answer: then it is unknown whether the task was accepted, and the call can be repeated.
    pub async fn enqueue(&self, task: &NewTask) -> Result<Enqueued, StoreError> {
        if let Some(key) = &task.idempotency
            && key.home(self.partitions()) != task.id.partition()
        {
            match self.reserve_key(key, &task.id).await? {
                Some(Enqueued::Exists(first)) if first != task.id => {
                    // The first request may have died between the reservation and the enqueue: finish it, with its id.
                    let again = NewTask {
                        id: first,
                        ..task.clone()
                    };
                    return self
                        .enqueue_script(&again)
                        .await
                        .map(|outcome| match outcome {
                            Enqueued::Accepted(..) => Enqueued::Exists(again.id),
                            other => other,
                        });
                }
                Some(Enqueued::Exists(_)) | None => {}
                Some(other) => return Ok(other),
            }
        }
        self.enqueue_script(task).await
    }

    async fn enqueue_script(&self, task: &NewTask) -> Result<Enqueued, StoreError> {
        let args = task.args()?;
        let groups = &self.0.enqueues;
        let outcome = outcome(groups.run(self, task.id.partition(), args).await?)?;
        self.count(task, &outcome);
        Ok(outcome)
    }

    fn count(&self, task: &NewTask, outcome: &Enqueued) {
        if matches!(outcome, Enqueued::Accepted(..)) {
            self.0.accepted.count(&task.agent);
        }
    }

    /// Accepts tasks, many in a round trip; outcomes in the same order. Repeating the call accepts each once.
    /// A task with an idempotency key has to be in the partition of that ([`Idempotency::home`]).
    ///
    /// # Errors
    /// When a task cannot be encoded; nothing is accepted then. What befalls a single task is in its place.
    pub async fn enqueue_all(
        &self,
        tasks: &[NewTask],
    ) -> Result<Vec<Result<Enqueued, StoreError>>, StoreError> {
        let mut parts = Vec::with_capacity(tasks.len());
        for (place, task) in tasks.iter().enumerate() {
            parts.push((task.id.partition(), place, task.args()?));
        }
        parts.sort_by_key(|(partition, place, _)| (*partition, *place));
        let calls = parts
            .chunk_by(|a, b| a.0 == b.0)
            .flat_map(|parts| parts.chunks(MOST_TASKS));
        let replies = calls.map(async |parts| {
            let args = parts.iter().map(|(_, _, args)| args);
            match self.0.enqueues.call(self, parts[0].0, args).await {
                Ok(replies) => replies
                    .into_iter()
                    .map(|reply| reply.and_then(outcome))
                    .collect(),
                Err(error) => vec![Err(error); parts.len()],
            }
        });
        let outcomes = futures::future::join_all(replies).await;
        let places = parts.iter().map(|(_, place, _)| *place);
        let mut placed: Vec<_> = places.zip(outcomes.into_iter().flatten()).collect();
        placed.sort_by_key(|(place, _)| *place);
        let outcomes = placed.into_iter().zip(tasks).map(|((_, outcome), task)| {
            if let Ok(outcome) = &outcome {
                self.count(task, outcome);
            }
            outcome
        });
        Ok(outcomes.collect())
    }
}

/// What the script says of one task.
fn outcome(mut reply: Reply) -> Result<Enqueued, StoreError> {
    let parse = |text: String| {
        text.parse()
            .map_err(|_| StoreError::corrupt("enqueue", text))
    };
    match reply.text()?.as_str() {
        "accepted" => Ok(Enqueued::Accepted(reply.text()?.parse()?, reply.int()?)),
        "exists" => Ok(Enqueued::Exists(parse(reply.text()?)?)),
        "key_reused" => Ok(Enqueued::KeyReused),
        "parent_lost" => Ok(Enqueued::ParentLost),
        "too_deep" => Ok(Enqueued::TooDeep),
        "too_many" => Ok(Enqueued::TooMany),
        "batch_closed" => Ok(Enqueued::BatchClosed),
        "previous_unusable" => Ok(Enqueued::PreviousUnusable),
        "conversation_too_large" => Ok(Enqueued::ConversationTooLarge),
        other => Err(reply.corrupt(other)),
    }
}

impl NewTask {
    /// As the script takes it.
    fn args(&self) -> Result<Cmd, StoreError> {
        let start = match self.start {
            Start::Now => String::new(),
            Start::After(delay) => format!("+{}", delay.as_millis()),
            Start::At(ms) => ms.to_string(),
        };
        let parent = self.parent.as_ref().map_or_else(String::new, |p| {
            let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            format!(
                "{} {} {} {} {} {}",
                p.held.id,
                p.held.token,
                or_dash(p.wait.as_ref().map(ToString::to_string)),
                or_dash(p.timeout.map(|t| t.as_millis().to_string())),
                p.max_depth,
                p.max_descendants
            )
        });
        let (key, fingerprint, keep) = match &self.idempotency {
            Some(i) => (i.key(), i.fingerprint(), i.keep_ms()),
            None => ("", "", 0),
        };
        let deadline = self
            .deadline
            .map_or_else(String::new, |d| d.as_millis().to_string());
        let input = self.input.encode()?;
        // What goes on with a conversation is appended to a copy of that.
        let parts = Entry::parts(&input).filter(|_| self.previous.is_none());
        let mut args = Cmd::new();
        args.arg(self.id.as_str())
            .arg(self.agent.as_str())
            .arg(self.owner.as_str())
            .arg(self.priority.get())
            .arg(start)
            .arg(match parts {
                Some(_) => input.len().to_string(),
                None => input.clone(),
            })
            .arg(key)
            .arg(fingerprint)
            .arg(keep)
            .arg(self.previous.as_ref().map_or("", TaskId::as_str))
            .arg(parent)
            .arg(self.batch.as_ref().map_or("", BatchId::as_str))
            .arg(deadline)
            .arg(
                self.webhook
                    .as_ref()
                    .map_or_else(String::new, TaskWebhook::encode),
            );
        for (name, part) in PARTS.iter().zip(parts.iter().flatten()) {
            args.arg(name).arg(part);
        }
        if self.stream {
            args.arg("stream").arg(1);
        }
        if let Some(parent) = &self.parent {
            args.arg("answer_bytes").arg(parent.answer_bytes);
        }
        if let Some(tools) = &self.tools {
            args.arg("tools").arg(tools.to_string());
        }
        if let Some(trace) = &self.trace {
            args.arg("trace").arg(trace);
        }
        if let Some(limits) = &self.limits {
            args.arg("limits").arg(limits.to_string());
        }
        if !self.metadata.is_empty() {
            let json = serde_json::to_string(&self.metadata)
                .map_err(|e| StoreError::corrupt("metadata", e.to_string()))?;
            args.arg("metadata").arg(json);
        }
        Ok(args)
    }
}
