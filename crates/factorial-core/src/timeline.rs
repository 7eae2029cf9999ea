//! The rolling metrics timeline of each agent: counts, what models were used, and histograms of queue wait and run time, in
//! buckets of time. Those narrower than an hour are summed up into hours, which are kept for longer.
//!
//! Written by the scripts (`metric.lua`, `spend.lua`), summed up by a chore of the reaper, read by the dashboard.

use std::{collections::BTreeMap, time::Duration};

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::AgentName,
    script::{Reply, text},
    store::Store,
};

/// How long hours are kept.
pub(crate) const HOURS_KEPT: Duration = Duration::from_secs(8 * 86_400);
/// ms.
const HOUR_MS: u64 = 3_600_000;
/// Buckets narrower than an hour are kept for so long at least, so that an hour can be summed up when it is over.
const KEPT_FOR_HOURS: Duration = Duration::from_secs(2 * 3600);
/// Buckets that are read in one round trip.
const READ_AT_ONCE: usize = 500;

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
            self.width_ms(),
            (self.kept() + self.bucket).as_secs().max(1)
        )
    }

    /// Width of a bucket, ms.
    #[must_use]
    pub fn width_ms(self) -> u64 {
        u64::try_from(self.bucket.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// How long buckets are kept.
    #[must_use]
    pub fn kept(self) -> Duration {
        if self.has_hours() {
            self.retention.max(KEPT_FOR_HOURS)
        } else {
            self.retention
        }
    }

    /// Buckets are narrower than an hour, and are summed up into hours.
    #[must_use]
    pub fn has_hours(self) -> bool {
        self.width_ms() < HOUR_MS
    }
}

/// What a model was used for, in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelUse {
    /// Tokens read.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Millionths of a US dollar; `None` when the model has no price.
    pub cost_micros: Option<u64>,
}

/// A time of one agent, all partitions together.
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
    /// Committed replies, by model.
    pub models: BTreeMap<String, ModelUse>,
}

impl Bucket {
    /// Nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
            && self.wait.is_empty()
            && self.run.is_empty()
            && self.models.is_empty()
    }

    /// Adds what another one holds; the start stays.
    pub fn merge(&mut self, other: &Self) {
        for (name, amount) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += amount;
        }
        for (slot, amount) in &other.wait {
            *self.wait.entry(*slot).or_default() += amount;
        }
        for (slot, amount) in &other.run {
            *self.run.entry(*slot).or_default() += amount;
        }
        for (model, used) in &other.models {
            let sum = self.models.entry(model.clone()).or_default();
            sum.input += used.input;
            sum.output += used.output;
            sum.cost_micros = match (sum.cost_micros, used.cost_micros) {
                (None, None) => None,
                (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
            };
        }
    }

    /// A field of a bucket, or of an hour: there tokens are `<input> <output>`.
    fn add(&mut self, field: &str, value: &str) -> Result<(), StoreError> {
        let bad = || StoreError::corrupt("timeline", format!("{field}: {value}"));
        if let Some(model) = field.strip_prefix("u:") {
            let used = self.models.entry(model.to_owned()).or_default();
            let (input, output) = match value.split_once(' ') {
                Some((input, output)) => (
                    input.parse().map_err(|_| bad())?,
                    output.parse().map_err(|_| bad())?,
                ),
                None => unpacked(value.parse().map_err(|_| bad())?),
            };
            used.input += input;
            used.output += output;
            return Ok(());
        }
        let amount: u64 = value.parse().map_err(|_| bad())?;
        if let Some(model) = field.strip_prefix("c:") {
            let used = self.models.entry(model.to_owned()).or_default();
            *used.cost_micros.get_or_insert(0) += amount;
            return Ok(());
        }
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
        Ok(())
    }

    fn read(&mut self, mut fields: Reply) -> Result<(), StoreError> {
        while !fields.is_empty() {
            let field = fields.text()?;
            self.add(&field, &fields.text()?)?;
        }
        Ok(())
    }

    /// Fields and values of an hour.
    pub(crate) fn encode(&self) -> Vec<String> {
        let mut fields = Vec::new();
        for (name, amount) in &self.counts {
            fields.extend([name.clone(), amount.to_string()]);
        }
        for (prefix, slots) in [("w", &self.wait), ("r", &self.run)] {
            for (slot, amount) in slots {
                fields.extend([format!("{prefix}{slot}"), amount.to_string()]);
            }
        }
        for (model, used) in &self.models {
            fields.extend([
                format!("u:{model}"),
                format!("{} {}", used.input, used.output),
            ]);
            if let Some(cost) = used.cost_micros {
                fields.extend([format!("c:{model}"), cost.to_string()]);
            }
        }
        fields
    }
}

/// Tokens of a reply as one number: input * 2^32 + output. Sums of them hold up to 2^31 input and 2^32 output tokens.
pub(crate) fn packed(input: u64, output: u64) -> u64 {
    (input.min(u64::from(u32::MAX >> 1)) << 32) | output.min(u64::from(u32::MAX))
}

fn unpacked(sum: u64) -> (u64, u64) {
    (sum >> 32, sum & u64::from(u32::MAX))
}

impl Store {
    /// Width and life of buckets.
    #[must_use]
    pub fn timeline_config(&self) -> TimelineConfig {
        self.0.timeline
    }

    /// The buckets of an agent that are still kept, oldest first, up to now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn timeline(&self, agent: &AgentName) -> Result<Vec<Bucket>, StoreError> {
        let config = self.0.timeline;
        let now = self.now_ms().await?;
        let width = config.width_ms();
        let kept = u64::try_from(config.retention.as_millis()).unwrap_or(u64::MAX) / width;
        let newest = now / width * width;
        let starts: Vec<u64> = (0..=kept)
            .rev()
            .filter_map(|i| newest.checked_sub(i * width))
            .collect();
        self.buckets(agent, &starts).await
    }

    /// The buckets of an agent that start at these times; one that is not kept is empty.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn buckets(
        &self,
        agent: &AgentName,
        starts: &[u64],
    ) -> Result<Vec<Bucket>, StoreError> {
        let width = self.0.timeline.width_ms();
        let partitions = usize::from(self.partitions());
        let mut buckets = Vec::with_capacity(starts.len());
        for starts in starts.chunks((READ_AT_ONCE / partitions).max(1)) {
            let mut pipe = redis::pipe();
            for start in starts {
                for partition in self.all_partitions() {
                    pipe.cmd("HGETALL")
                        .arg(self.0.keys.timeline(partition, agent, width, *start));
                }
            }
            let mut replies = Reply::new("timeline", self.0.link.pipeline(&pipe).await?);
            for start_ms in starts {
                let mut bucket = Bucket {
                    start_ms: *start_ms,
                    ..Bucket::default()
                };
                for _ in self.all_partitions() {
                    bucket.read(replies.map()?)?;
                }
                buckets.push(bucket);
            }
        }
        Ok(buckets)
    }

    /// A time of an agent, summed up from its buckets; `width_ms` is a multiple of theirs.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn summed(
        &self,
        agent: &AgentName,
        start_ms: u64,
        width_ms: u64,
    ) -> Result<Bucket, StoreError> {
        let width = self.0.timeline.width_ms();
        let starts: Vec<u64> = (0..width_ms.div_ceil(width))
            .map(|i| start_ms + i * width)
            .collect();
        let mut sum = Bucket {
            start_ms,
            ..Bucket::default()
        };
        for bucket in self.buckets(agent, &starts).await? {
            sum.merge(&bucket);
        }
        Ok(sum)
    }

    /// The hours of an agent that start at these times; `None` for one that is not kept: nothing happened, or it was not
    /// summed up.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn hours(
        &self,
        agent: &AgentName,
        starts: &[u64],
    ) -> Result<Vec<Option<Bucket>>, StoreError> {
        let mut pipe = redis::pipe();
        for start in starts {
            pipe.cmd("HGETALL").arg(self.0.keys.hour(agent, *start));
        }
        let mut replies = Reply::new("hour", self.0.link.pipeline(&pipe).await?);
        starts
            .iter()
            .map(|start_ms| {
                let mut hour = Bucket {
                    start_ms: *start_ms,
                    ..Bucket::default()
                };
                hour.read(replies.map()?)?;
                Ok(Some(hour).filter(|hour| !hour.is_empty()))
            })
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_travel_as_one_number() {
        for (input, output) in [(0, 0), (1, 0), (0, 1), (128_000, 4_096), (1 << 30, 1 << 31)] {
            assert_eq!(unpacked(packed(input, output)), (input, output));
        }
        let sum = packed(1_000_000, 7) + packed(2_000_000, 4_000_000_000);
        assert_eq!(unpacked(sum), (3_000_000, 4_000_000_007));
        assert!(i64::try_from(packed(u64::MAX, u64::MAX)).is_ok());
    }

    #[test]
    fn an_hour_is_read_as_it_was_written() -> Result<(), StoreError> {
        let mut hour = Bucket::default();
        for (field, value) in [
            ("enqueued", "3"),
            ("w4", "2"),
            ("r19", "1"),
            ("retried", "1"),
            ("u:m", &packed(70, 8).to_string()),
            ("c:m", "12"),
            ("u:free", &packed(1, 1).to_string()),
        ] {
            hour.add(field, value)?;
        }
        let mut twice = hour.clone();
        twice.merge(&hour);
        assert_eq!(twice.models["m"].cost_micros, Some(24));
        assert_eq!(twice.models["free"].cost_micros, None);
        let mut read = Bucket::default();
        for pair in hour.encode().chunks(2) {
            read.add(&pair[0], &pair[1])?;
        }
        assert_eq!(read, hour);
        Ok(())
    }
}
