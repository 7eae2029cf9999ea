//! The feed of an owner: the events of all its tasks and batches, as they are appended, while somebody follows it.
//!
//! Each partition has a part of it, a stream of entries that are counted without gaps (`includes/feed.lua`). Readers join
//! it with live notifications by that number, and see by it what was trimmed away.

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    event::Event,
    ids::{OwnerId, Partition},
    live::Subscription,
    script::{Reply, text},
    store::Store,
};

/// Some events of one task or batch, in order.
#[derive(Clone, Debug)]
pub struct FeedEntry {
    /// Its number in the feed of its owner in its partition.
    pub n: u64,
    /// The task, or the batch.
    pub id: String,
    /// The agent of the task; `None` of a batch.
    pub agent: Option<String>,
    /// At least one.
    pub events: Vec<Event>,
}

impl FeedEntry {
    /// Id, agent and first `seq`, then one stored event a line. `None`: the entry that opens a feed.
    pub(crate) fn decode(n: u64, entry: &str) -> Result<Option<Self>, StoreError> {
        if entry.is_empty() {
            return Ok(None);
        }
        let bad = || StoreError::corrupt("feed", format!("entry {n}"));
        let mut lines = entry.split('\n');
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().ok_or_else(bad);
        let (id, agent) = (word()?.to_owned(), word()?.to_owned());
        let first: u64 = word()?.parse().map_err(|_| bad())?;
        let events: Vec<Event> = lines
            .zip(first..)
            .map(|(line, seq)| Event::decode(seq, line))
            .collect::<Result<_, _>>()?;
        if events.is_empty() {
            return Err(bad());
        }
        Ok(Some(Self {
            n,
            id,
            agent: Some(agent).filter(|agent| !agent.is_empty()),
            events,
        }))
    }

    /// A notification: the number, then the entry.
    pub(crate) fn notified(payload: &str) -> Result<Option<Self>, StoreError> {
        let (n, entry) = payload
            .split_once('\n')
            .ok_or_else(|| StoreError::corrupt("feed", "notification"))?;
        let n = n
            .parse()
            .map_err(|_| StoreError::corrupt("feed", "number"))?;
        Self::decode(n, entry)
    }
}

/// A part of a feed, oldest first.
#[derive(Clone, Debug, Default)]
pub struct FeedPage {
    /// The entries.
    pub entries: Vec<FeedEntry>,
    /// Number of the first and the last entry that was read, those that open a feed included.
    pub numbers: Option<(u64, u64)>,
}

impl Store {
    /// Entries of a feed after a number, at most `limit`. When the first one does not follow that number, what was between
    /// is gone.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn feed(
        &self,
        partition: Partition,
        owner: &OwnerId,
        after: u64,
        limit: usize,
    ) -> Result<FeedPage, StoreError> {
        let mut cmd = redis::cmd("XRANGE");
        cmd.arg(self.0.keys.feed(partition, owner))
            .arg(format!("{}-0", after.saturating_add(1)))
            .arg("+")
            .arg("COUNT")
            .arg(limit);
        let mut items = Reply::new("feed", vec![self.0.link.command(&cmd).await?]).array()?;
        let mut page = FeedPage::default();
        while !items.is_empty() {
            let mut item = items.array()?;
            let id = item.text()?;
            let n: u64 = id
                .split('-')
                .next()
                .and_then(|n| n.parse().ok())
                .ok_or_else(|| StoreError::corrupt("feed", &*id))?;
            let mut fields = item.map()?;
            fields.value()?;
            let entry = text(fields.value()?).map_err(|e| StoreError::corrupt("feed", e))?;
            page.entries.extend(FeedEntry::decode(n, &entry)?);
            page.numbers = Some((page.numbers.map_or(n, |(first, _)| first), n));
        }
        Ok(page)
    }

    /// Live entries of a feed, as [`crate::EventBatch::Entry`]; to be joined with [`Store::feed`] by their numbers.
    #[must_use]
    pub fn subscribe_feed(&self, partition: Partition, owner: &OwnerId) -> Subscription {
        let channel = self.0.keys.feed_channel(partition, owner);
        self.0.live.subscribe(channel)
    }
}
