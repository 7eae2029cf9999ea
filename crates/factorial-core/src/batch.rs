//! Batches: their records, lists, and those that need the reaper.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    event::Event,
    ids::{BatchId, OwnerId, Partition},
    live::Subscription,
    owners::Owners,
    script::Reply,
    segments,
    store::Store,
    task::{TaskState, Tree},
};

/// State of a batch; the last two are terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchState {
    /// Takes members.
    Filling,
    /// Its members run.
    Running,
    /// Its members are being cancelled.
    Cancelling,
    /// All members have ended, each in its way.
    Completed,
    /// Ended on request.
    Cancelled,
}

impl BatchState {
    /// The stored name, which is the name on the wire too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Filling => "filling",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The batch has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled)
    }
}

impl fmt::Display for BatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BatchState {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        [
            Self::Filling,
            Self::Running,
            Self::Cancelling,
            Self::Completed,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|s| s.as_str() == text)
        .ok_or_else(|| StoreError::corrupt("batch state", text))
    }
}

/// A batch as it is stored. Times are ms since the Unix epoch, by Redis.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRecord {
    /// Its id.
    pub id: BatchId,
    /// Its state.
    pub state: BatchState,
    /// Its owner.
    pub owner: OwnerId,
    /// When it was opened.
    pub created_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
    /// How many members it has, or is to have while it is being filled.
    pub members: u64,
    /// Indexes of members are below this; more than `members` if it was closed before all were accepted.
    pub span: u64,
    /// Members accepted.
    pub accepted: u64,
    /// Members by state.
    pub counts: BTreeMap<TaskState, u64>,
    /// Turns that each member may take, if progress is measured in turns.
    pub turns_each: Option<u32>,
    /// Turns or members done, of `members * turns_each` or `members`; never goes down.
    pub done: u64,
    /// What the members that have ended have spent, without their descendants.
    pub spent: Tree,
    /// Why it was cancelled.
    pub reason: Option<String>,
    /// Labels.
    pub metadata: BTreeMap<String, String>,
    pub(crate) cancelled_to: u64,
}

impl BatchRecord {
    /// Turns or members that there are to be done.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.members * u64::from(self.turns_each.unwrap_or(1))
    }

    fn decode(id: &BatchId, flat: Vec<String>) -> Result<Option<Self>, StoreError> {
        if flat.is_empty() {
            return Ok(None);
        }
        let mut fields = BTreeMap::new();
        let mut items = flat.into_iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            fields.insert(name, value);
        }
        let bad = |what: &str| StoreError::corrupt("batch", what);
        let number = |name: &str| -> Result<u64, StoreError> {
            fields
                .get(name)
                .map_or(Ok(0), |text| text.parse().map_err(|_| bad(name)))
        };
        let text = |name: &str| fields.get(name).map(String::as_str);
        let mut counts = BTreeMap::new();
        for state in TaskState::ALL {
            let count = number(state.as_str())?;
            if count > 0 {
                counts.insert(state, count);
            }
        }
        let state: BatchState = text("state").unwrap_or_default().parse()?;
        let mut record = Self {
            id: id.clone(),
            state,
            owner: OwnerId::new(text("owner").unwrap_or_default()).map_err(|_| bad("owner"))?,
            created_ms: text("created")
                .and_then(|t| t.parse().ok())
                .ok_or_else(|| bad("created"))?,
            finished_ms: text("finished").and_then(|t| t.parse().ok()),
            members: number("members")?,
            span: number("span")?.max(number("members")?),
            accepted: number("accepted")?,
            counts,
            turns_each: text("turns_each").and_then(|t| t.parse().ok()),
            done: number("done")?.max(number("peak")?),
            spent: match text("spent") {
                None => Tree::default(),
                Some(text) => Tree::decode(text).ok_or_else(|| bad("spent"))?,
            },
            reason: text("reason").map(str::to_owned),
            metadata: match text("metadata") {
                None => BTreeMap::new(),
                Some(json) => serde_json::from_str(json).map_err(|e| bad(&e.to_string()))?,
            },
            cancelled_to: number("cancelled_to")?,
        };
        if state.is_terminal() {
            record.done = record.total();
        }
        Ok(Some(record))
    }
}

/// A page of batches.
#[derive(Clone, Debug, Default)]
pub struct BatchListPage {
    /// Newest first.
    pub batches: Vec<BatchRecord>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

/// Batches that need somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Their time to fill is over.
    pub overdue: Vec<BatchId>,
    /// Their members are being cancelled.
    pub cancelling: Vec<BatchId>,
    /// Until the time to fill of the next one is over.
    pub next: Option<Duration>,
}

impl Store {
    /// The record of a batch.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn batch(&self, id: &BatchId) -> Result<Option<BatchRecord>, StoreError> {
        Ok(self
            .batch_records(std::slice::from_ref(id))
            .await?
            .pop()
            .flatten())
    }

    async fn batch_records(&self, ids: &[BatchId]) -> Result<Vec<Option<BatchRecord>>, StoreError> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.cmd("HGETALL").arg(self.0.keys.batch(id));
        }
        let mut replies = Reply::new("batch", self.0.link.pipeline(&pipe).await?);
        ids.iter()
            .map(|id| BatchRecord::decode(id, replies.map()?.texts()?))
            .collect()
    }

    /// A page of batches, newest first.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list_batches(
        &self,
        owners: &Owners,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<BatchListPage, StoreError> {
        let mut pipe = redis::pipe();
        let mut indexes = 0;
        for partition in self.all_partitions() {
            let from = cursor.map_or_else(|| "+".to_owned(), |c| format!("({partition}-{c}"));
            for index in self.0.keys.batches(partition, owners) {
                indexes += 1;
                pipe.cmd("ZREVRANGEBYLEX")
                    .arg(index)
                    .arg(&from)
                    .arg("-")
                    .arg("LIMIT")
                    .arg(0)
                    .arg(limit + 1);
            }
        }
        let mut replies = Reply::new("batch", self.0.link.pipeline(&pipe).await?);
        let mut ids: Vec<BatchId> = Vec::new();
        for _ in 0..indexes {
            for id in replies.array()?.texts()? {
                ids.push(id.parse().map_err(|_| StoreError::corrupt("batch", id))?);
            }
        }
        ids.sort_unstable_by(|a, b| b.unique().cmp(a.unique()));
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().filter(|_| more).map(|id| id.unique().to_owned());
        let batches = self.batch_records(&ids).await?;
        Ok(BatchListPage {
            batches: batches.into_iter().flatten().collect(),
            next,
        })
    }

    /// Events of a batch after a `seq`, at most `limit`, and the `seq` of the last one there is.
    ///
    /// # Errors
    /// When Redis does not answer, or an event cannot be read.
    pub async fn batch_events(
        &self,
        id: &BatchId,
        after: u64,
        limit: u64,
    ) -> Result<(Vec<Event>, u64), StoreError> {
        self.events_of("batch event", &self.0.keys.batch_events(id), after, limit)
            .await
    }

    /// Live events of a batch; to be joined with [`Store::batch_events`] by `seq`.
    #[must_use]
    pub fn subscribe_batch(&self, id: &BatchId) -> Subscription {
        self.0.live.subscribe(self.0.keys.batch_channel(id))
    }

    /// Batches of a partition that need somebody, at most `most` of each kind.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn unsettled_batches(
        &self,
        partition: Partition,
        most: usize,
    ) -> Result<Unsettled, StoreError> {
        let now = self.now_ms().await?;
        let mut pipe = redis::pipe();
        for (place, until) in [
            (segments::FILLING, now.to_string()),
            (segments::CANCELLING, "+inf".to_owned()),
        ] {
            pipe.cmd("ZRANGEBYSCORE")
                .arg(self.0.keys.place(partition, place))
                .arg("-inf")
                .arg(until)
                .arg("LIMIT")
                .arg(0)
                .arg(most);
        }
        pipe.cmd("ZRANGEBYSCORE")
            .arg(self.0.keys.place(partition, segments::FILLING))
            .arg(format!("({now}"))
            .arg("+inf")
            .arg("WITHSCORES")
            .arg("LIMIT")
            .arg(0)
            .arg(1);
        let mut replies = Reply::new("batch", self.0.link.pipeline(&pipe).await?);
        let mut ids = || -> Result<Vec<BatchId>, StoreError> {
            let texts = replies.array()?.texts()?;
            texts
                .into_iter()
                .map(|id| id.parse().map_err(|_| StoreError::corrupt("batch", id)))
                .collect()
        };
        let (overdue, cancelling) = (ids()?, ids()?);
        let due = replies.array()?.texts()?.pop();
        let due = due.and_then(|score| score.parse::<u64>().ok());
        Ok(Unsettled {
            overdue,
            cancelling,
            next: due.map(|due| Duration::from_millis(due.saturating_sub(now))),
        })
    }
}
