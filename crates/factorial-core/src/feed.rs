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
    /// None in the entry that opens a feed.
    pub events: Vec<Event>,
}

impl FeedEntry {
    /// Id, agent and first `seq`, then one stored event a line. Empty: the entry that opens a feed.
    pub(crate) fn decode(n: u64, entry: &str) -> Result<Self, StoreError> {
        if entry.is_empty() {
            return Ok(Self {
                n,
                id: String::new(),
                agent: None,
                events: Vec::new(),
            });
        }
        let bad = || StoreError::corrupt("feed", format!("entry {n}"));
        let mut lines = entry.split('\n');
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().ok_or_else(bad);
        let (id, agent) = (word()?.to_owned(), word()?.to_owned());
        let first: u64 = word()?.parse().map_err(|_| bad())?;
        let events = lines
            .zip(0..)
            .map(|(line, i)| Event::decode(first.checked_add(i).ok_or_else(bad)?, line))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            n,
            id,
            agent: Some(agent).filter(|agent| !agent.is_empty()),
            events,
        })
    }

    /// A notification: the number, then the entry.
    pub(crate) fn notified(payload: &str) -> Result<Self, StoreError> {
        let (n, entry) = payload
            .split_once('\n')
            .ok_or_else(|| StoreError::corrupt("feed", "notification"))?;
        let n = n
            .parse()
            .map_err(|_| StoreError::corrupt("feed", "number"))?;
        Self::decode(n, entry)
    }
}

impl Store {
    /// Entries of a feed after a number, oldest first, at most `limit`. Where one does not follow the number before it, what
    /// was between is gone.
    ///
    /// # Errors
    /// When Redis does not answer, or an entry cannot be read.
    pub async fn feed(
        &self,
        partition: Partition,
        owner: &OwnerId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        let mut cmd = redis::cmd("XRANGE");
        cmd.arg(self.0.keys.feed(partition, owner))
            .arg(format!("{}-0", after.saturating_add(1)))
            .arg("+")
            .arg("COUNT")
            .arg(limit);
        let mut items = Reply::new("feed", vec![self.0.link.command(&cmd).await?]).array()?;
        let mut entries = Vec::new();
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
            entries.push(FeedEntry::decode(n, &entry)?);
        }
        Ok(entries)
    }

    /// Live entries of a feed, as [`crate::EventBatch::Entry`]; to be joined with [`Store::feed`] by their numbers.
    #[must_use]
    pub fn subscribe_feed(&self, partition: Partition, owner: &OwnerId) -> Subscription {
        let channel = self.0.keys.feed_channel(partition, owner);
        self.0.live.subscribe(channel)
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_feed_entry() {
        let seeds = [
            "0-01hf7yat000000000000000010 researcher 7\n1700000000000 1 2 run_started {\"a\":1}\n1 0 0 e {}",
            "",
            "0-01hf7yat000000000000000010  18446744073709551615\n1 0 0 e {}\n1 0 0 e {}",
        ];
        factorial_fuzz::texts(&seeds, |text| {
            if let Ok(entry) = FeedEntry::decode(1, text) {
                assert!(entry.events.len() <= text.lines().count());
            }
        });
    }
}
