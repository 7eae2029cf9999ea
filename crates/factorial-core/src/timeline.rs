//! The rolling metrics timeline of each agent: counts, and histograms of queue wait and run time, in buckets of time.

use std::{collections::BTreeMap, time::Duration};

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::AgentName,
    script::{Reply, text},
    store::Store,
};

/// Width and life of buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineConfig {
    /// Width of a bucket.
    pub bucket: Duration,
    /// How long a bucket is kept.
    pub retention: Duration,
}

impl Default for TimelineConfig {
    fn default() -> Self {
        Self {
            bucket: Duration::from_secs(60),
            retention: Duration::from_secs(7200),
        }
    }
}

impl TimelineConfig {
    pub(crate) fn script_arg(self) -> String {
        format!(
            "{} {}",
            self.bucket.as_millis().max(1),
            (self.retention + self.bucket).as_secs().max(1)
        )
    }
}

/// One bucket of one agent, all partitions together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Start, ms since the Unix epoch.
    pub start_ms: u64,
    /// `enqueued`, `claimed`, `completed`, `failed`, `cancelled`, `retried`, `recovered`.
    pub counts: BTreeMap<String, u64>,
    /// Queue wait: slot -> tasks. Slot k holds 2^(k/2) to 2^((k+1)/2) ms.
    pub wait: BTreeMap<u8, u64>,
    /// Run time, first claim to end: slot -> tasks.
    pub run: BTreeMap<u8, u64>,
}

impl Bucket {
    fn add(&mut self, field: &str, amount: u64) {
        let slot = |prefix| {
            field
                .strip_prefix(prefix)
                .and_then(|s: &str| s.parse::<u8>().ok())
        };
        let counter = if let Some(slot) = slot("w") {
            self.wait.entry(slot).or_default()
        } else if let Some(slot) = slot("r") {
            self.run.entry(slot).or_default()
        } else {
            self.counts.entry(field.to_owned()).or_default()
        };
        *counter += amount;
    }
}

impl Store {
    /// The buckets of an agent that are still kept, oldest first, up to now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn timeline(&self, agent: &AgentName) -> Result<Vec<Bucket>, StoreError> {
        let config = self.0.timeline;
        let now = self.now_ms().await?;
        let width = u64::try_from(config.bucket.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let kept = u64::try_from(config.retention.as_millis()).unwrap_or(u64::MAX) / width;
        let newest = now / width * width;
        let mut pipe = redis::pipe();
        let starts: Vec<u64> = (0..=kept)
            .rev()
            .filter_map(|i| newest.checked_sub(i * width))
            .collect();
        for start in &starts {
            for partition in self.all_partitions() {
                pipe.cmd("HGETALL")
                    .arg(self.0.keys.timeline(partition, agent, width, *start));
            }
        }
        let mut replies = Reply::new("timeline", self.0.link.pipeline(&pipe).await?);
        let mut buckets = Vec::with_capacity(starts.len());
        for start_ms in starts {
            let mut bucket = Bucket {
                start_ms,
                ..Bucket::default()
            };
            for _ in self.all_partitions() {
                let mut fields = replies.map()?;
                while !fields.is_empty() {
                    let field = fields.text()?;
                    bucket.add(&field, fields.count()?);
                }
            }
            buckets.push(bucket);
        }
        Ok(buckets)
    }

    /// The clock of Redis, ms since the Unix epoch.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn now_ms(&self) -> Result<u64, StoreError> {
        let value = self.0.link.command(&redis::cmd("TIME")).await?;
        let mut reply = match value {
            redis::Value::Array(items) => Reply::new("time", items),
            other => {
                return Err(StoreError::corrupt(
                    "time",
                    text(other).unwrap_or_else(|e| e),
                ));
            }
        };
        let (seconds, micros) = (reply.count()?, reply.count()?);
        Ok(seconds * 1000 + micros / 1000)
    }
}
