//! The rolling metrics timeline that is kept in Redis for each agent.

use std::time::Duration;

use crate::config::group::config_group;
use crate::config::reader::Reader;
use crate::config::value::Value;

/// Fewer make no timeline.
const MIN_BUCKETS: f64 = 50.0;
/// More than this many for each agent are no bound.
const MAX_KEPT_BUCKETS: f64 = 100_000.0;

config_group! {
    /// The metrics timeline of each agent.
    pub struct MetricsTimelineConfig, "Metrics timeline", in "metrics" {
        /// Seconds that the timeline shows.
        timeline_duration: Duration = "3600", range 1.0 to 315360000.0;
        /// Width of a bucket: `seconds`, `minutes`, `hours` or `days`. The timeline must have at least 50 of them.
        bucket_size: BucketSize = "minutes";
        /// Buckets are kept for this many times the timeline; those narrower than an hour for 2 hours at least, until they are summed up.
        retention_multiplier: f64 = "2.0", range 1.0 to 100.0;
    }
    check check_buckets;
}

impl MetricsTimelineConfig {
    /// How many buckets the timeline shows.
    #[must_use]
    pub fn buckets(&self) -> u64 {
        self.timeline_duration.as_secs() / self.bucket_size.seconds()
    }

    /// How long a bucket is kept.
    #[must_use]
    pub fn retention(&self) -> Duration {
        self.timeline_duration.mul_f64(self.retention_multiplier)
    }
}

/// Width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketSize {
    /// 1 s.
    Seconds,
    /// 60 s.
    Minutes,
    /// 3600 s.
    Hours,
    /// 86400 s.
    Days,
}

impl BucketSize {
    /// The width in seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3600,
            Self::Days => 86400,
        }
    }
}

impl Value for BucketSize {
    const KIND: &'static str = "SIZE";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "seconds" => Ok(Self::Seconds),
            "minutes" => Ok(Self::Minutes),
            "hours" => Ok(Self::Hours),
            "days" => Ok(Self::Days),
            _ => Err("is not one of seconds, minutes, hours, days".to_owned()),
        }
    }
}

fn check_buckets(config: &MetricsTimelineConfig, reader: &mut Reader<'_>) {
    let seconds = Duration::from_secs(config.bucket_size.seconds());
    let buckets = config.timeline_duration.div_duration_f64(seconds);
    if buckets < MIN_BUCKETS {
        reader.reject(
            "timeline_duration",
            format!(
                "a timeline of {} s has {} buckets of {} s; it needs at least {MIN_BUCKETS}",
                config.timeline_duration.as_secs_f64(),
                buckets.floor(),
                seconds.as_secs(),
            ),
        );
    } else if buckets * config.retention_multiplier > MAX_KEPT_BUCKETS {
        reader.reject(
            "timeline_duration",
            format!(
                "keeps {} buckets of {} s for each agent; at most {MAX_KEPT_BUCKETS} are kept",
                (buckets * config.retention_multiplier).ceil(),
                seconds.as_secs(),
            ),
        );
    }
}
