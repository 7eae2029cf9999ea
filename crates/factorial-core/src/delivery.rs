//! Deliveries: events on their way to webhooks.
//!
//! Written in the step that appends the event (`includes/post.lua`), tried by reapers, kept for three days after their end.
//! An id is `<task or batch>.<seq>.<webhook>`, where the webhook is `task` or `batch` if it is not one of an owner:
//! the same for all tries.

use std::fmt;

use deadpool_redis::redis;
use serde::Serialize;

use crate::{
    error::StoreError,
    event::Event,
    ids::{AgentName, BatchId, InvalidName, OwnerId, Partition, TaskId, WebhookId},
    script::Reply,
    store::Store,
    webhook::Receiver,
};

/// Fields of the hash that are read.
const FIELDS: [&str; 13] = [
    "log", "to", "owner", "agent", "event", "created", "since", "attempts", "base", "said",
    "tried", "ended", "state",
];
/// Most deliveries of a log.
pub(crate) const MOST: usize = 200;

/// Id of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct DeliveryId {
    text: Box<str>,
    subject: TaskId,
    seq: u64,
    hook: Hook,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Hook {
    Owner(WebhookId),
    Kept,
}

impl DeliveryId {
    /// Of an id as it is told to clients.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let refused = InvalidName {
            what: "delivery_id",
            problem: "is not a delivery id: <task or batch>.<seq>.<webhook>",
        };
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(|| refused.clone());
        let subject = part()?.parse().map_err(|_| refused.clone())?;
        let digits = part()?;
        let canonical = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        let seq = digits.parse().ok().filter(|_| canonical);
        let seq = seq.ok_or_else(|| refused.clone())?;
        let hook = match part()? {
            "task" | "batch" => Hook::Kept,
            id => Hook::Owner(id.parse().map_err(|_| refused.clone())?),
        };
        Ok(Self {
            text: text.into(),
            subject,
            seq,
            hook,
        })
    }

    /// As it is told to clients, and to the receiver as `webhook-id`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it is.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.subject.partition()
    }

    /// The webhook of the owner that it goes to; `None`: that of a task or a batch.
    #[must_use]
    pub fn webhook(&self) -> Option<&WebhookId> {
        match &self.hook {
            Hook::Owner(id) => Some(id),
            Hook::Kept => None,
        }
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.text.into()
    }
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A task, with its agent.
    Task(TaskId, AgentName),
    /// A batch.
    Batch(BatchId),
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is tried, or will be again.
    Pending,
    /// The receiver has accepted it.
    Delivered,
    /// It was given up.
    Failed,
}

/// An event on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Of what.
    pub subject: Subject,
    /// Of whose.
    pub owner: OwnerId,
    /// The event.
    pub event: Event,
    /// The webhook of a task or a batch; that of an owner is found by the id.
    pub receiver: Option<Receiver>,
    /// When the event happened, ms since the Unix epoch, by Redis.
    pub created_ms: i64,
    /// The same, or when somebody asked to try again.
    pub since_ms: i64,
    /// Tries in all.
    pub attempts: u32,
    /// Tries before `since_ms`.
    pub attempts_before: u32,
    /// How it stands.
    pub state: DeliveryState,
    /// What came of the last try: a status code, or a word for what went wrong.
    pub said: Option<String>,
    /// When that was.
    pub tried_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// When it is due, unless it has ended.
    pub due_ms: Option<i64>,
}

/// Values of a delivery as they come from Redis, in the order of [`FIELDS`].
pub(crate) struct Raw(pub(crate) Vec<Option<String>>);

impl Raw {
    fn text(&self, name: &str) -> Option<&str> {
        let at = FIELDS.iter().position(|field| *field == name)?;
        self.0.get(at)?.as_deref()
    }

    /// `None`: it is not there.
    pub(crate) fn decode(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        if self.text("log").is_none() {
            return Ok(None);
        }
        let bad = |what: &str| StoreError::corrupt("delivery", format!("{what} of {id}"));
        let need = |name: &str| self.text(name).ok_or_else(|| bad(name));
        let number = |name: &str| -> Result<Option<i64>, StoreError> {
            let number = self.text(name).map(str::parse).transpose();
            number.map_err(|_| bad(name))
        };
        let count = |name: &str| {
            let number = number(name)?.unwrap_or_default();
            u32::try_from(number).map_err(|_| bad(name))
        };
        let agent = need("agent")?;
        let subject = if agent.is_empty() {
            let batch = id.subject.as_str().parse();
            Subject::Batch(batch.map_err(|_| bad("batch"))?)
        } else {
            let agent = agent.parse().map_err(|_| bad("agent"))?;
            Subject::Task(id.subject.clone(), agent)
        };
        let receiver = match need("to")? {
            "" => None,
            stored => Some(Receiver::decode(stored).ok_or_else(|| bad("receiver"))?),
        };
        let ended_ms = number("ended")?;
        Ok(Some(Delivery {
            subject,
            owner: need("owner")?.parse().map_err(|_| bad("owner"))?,
            event: Event::decode(id.seq, need("event")?)?,
            receiver,
            created_ms: number("created")?.ok_or_else(|| bad("created"))?,
            since_ms: number("since")?.ok_or_else(|| bad("since"))?,
            attempts: count("attempts")?,
            attempts_before: count("base")?,
            state: match self.text("state").filter(|_| ended_ms.is_some()) {
                None => DeliveryState::Pending,
                Some("delivered") => DeliveryState::Delivered,
                Some(_) => DeliveryState::Failed,
            },
            said: self.text("said").map(str::to_owned),
            tried_ms: number("tried")?,
            ended_ms,
            due_ms: None,
            id,
        }))
    }
}

impl Store {
    /// A delivery.
    ///
    /// # Errors
    /// When Redis does not answer, or it cannot be read.
    pub async fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let found = self.deliveries_by_id(vec![id.clone()]).await?;
        Ok(found.into_iter().next())
    }

    /// The last deliveries to a webhook of an owner, newest first.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn webhook_deliveries(&self, id: &WebhookId) -> Result<Vec<Delivery>, StoreError> {
        let partitions: Vec<Partition> = self.all_partitions().collect();
        self.logged_deliveries(&partitions, id.as_str()).await
    }

    /// The last deliveries of events of a batch, and to its own webhook of events of its members; newest first.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn batch_deliveries(&self, batch: &BatchId) -> Result<Vec<Delivery>, StoreError> {
        self.logged_deliveries(&[batch.partition()], batch.as_str())
            .await
    }

    /// The last deliveries of events of a task, newest first.
    ///
    /// # Errors
    /// When Redis does not answer, or one cannot be read.
    pub async fn task_deliveries(&self, task: &TaskId) -> Result<Vec<Delivery>, StoreError> {
        self.logged_deliveries(&[task.partition()], task.as_str())
            .await
    }

    async fn logged_deliveries(
        &self,
        partitions: &[Partition],
        log: &str,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut pipe = redis::pipe();
        for partition in partitions {
            pipe.cmd("LRANGE")
                .arg(self.0.keys.deliveries(*partition, log))
                .arg(0)
                .arg(MOST - 1);
        }
        let mut replies = Reply::new("deliveries", self.0.link.pipeline(&pipe).await?);
        let mut ids = Vec::new();
        for _ in partitions {
            for id in replies.array()?.texts()? {
                let id = DeliveryId::new(&id).map_err(|_| StoreError::corrupt("deliveries", id))?;
                ids.push(id);
            }
        }
        let mut deliveries = self.deliveries_by_id(ids).await?;
        deliveries.sort_by_key(|d| std::cmp::Reverse(d.created_ms));
        deliveries.truncate(MOST);
        Ok(deliveries)
    }

    /// Those that are there.
    async fn deliveries_by_id(&self, ids: Vec<DeliveryId>) -> Result<Vec<Delivery>, StoreError> {
        let mut pipe = redis::pipe();
        for id in &ids {
            pipe.cmd("HMGET").arg(self.0.keys.delivery(id)).arg(&FIELDS);
            pipe.cmd("ZSCORE")
                .arg(self.0.keys.outbox(id.partition()))
                .arg(id.as_str());
        }
        let mut replies = Reply::new("delivery", self.0.link.pipeline(&pipe).await?);
        let mut deliveries = Vec::new();
        for id in ids {
            let mut values = replies.array()?;
            let fields = FIELDS.iter().map(|_| values.text_or_nil());
            let raw = Raw(fields.collect::<Result<_, _>>()?);
            let due_ms = replies.score_or_nil()?;
            if let Some(delivery) = raw.decode(id)? {
                deliveries.push(Delivery { due_ms, ..delivery });
            }
        }
        Ok(deliveries)
    }

    /// How many deliveries of a partition have not ended.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn pending_deliveries(&self, partition: Partition) -> Result<u64, StoreError> {
        self.place_size(partition, crate::segments::OUTBOX).await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_deliveries_are_ids() {
        let task = "3-01k0a1b2c3d4e5f6g7h8j9kamn";
        let own = DeliveryId::new(&format!("{task}.12.task")).unwrap();
        assert_eq!(
            (own.seq, own.webhook(), own.partition()),
            (12, None, Partition(3))
        );
        let owners = DeliveryId::new(&format!("{task}.1.wh_1")).unwrap();
        assert_eq!(owners.webhook().unwrap().as_str(), "wh_1");
        for bad in ["", task, "x.1.task"] {
            assert!(DeliveryId::new(bad).is_err(), "{bad}");
        }
        for bad in [
            "", ".", ".1", ".1.", ".0.task", ".-1.task", ".+1.task", ".x.task", ".1.a}b", ".1.a.b",
            ".1.other",
        ] {
            assert!(DeliveryId::new(&format!("{task}{bad}")).is_err(), "{bad}");
        }
    }
}
