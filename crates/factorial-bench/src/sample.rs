//! What Redis says about itself, before and after.
//!
//! Invariant: read with one `INFO all`, so that all figures of a sample are of the same moment.

use std::collections::HashMap;
use std::iter::Sum;

use crate::error::BenchError;
use crate::report::Measure;
use crate::stats::{each, number};

const MIB: f64 = 1_048_576.0;

/// One look at the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// CPU time of the server, in the kernel and outside, µs.
    pub(crate) cpu_us: f64,
    /// Commands, those inside scripts included.
    pub(crate) commands: u64,
    /// Script calls.
    pub(crate) scripts: u64,
    /// Bytes of the data set with its overhead.
    pub(crate) memory: u64,
    /// Resident bytes of the server.
    pub(crate) rss: u64,
    /// Bytes of the append-only file, if there is one.
    pub(crate) file: Option<u64>,
}

impl Sample {
    /// From the reply to `INFO all`.
    ///
    /// # Errors
    /// When a line is missing.
    pub(crate) fn parse(info: &str) -> Result<Self, BenchError> {
        let lines: HashMap<&str, &str> = info.lines().filter_map(|l| l.split_once(':')).collect();
        let seconds = |name: &'static str| -> Result<f64, BenchError> {
            let text = lines.get(name).ok_or(BenchError::Info(name))?;
            text.trim().parse().map_err(|_| BenchError::Info(name))
        };
        let bytes = |name: &'static str| -> Result<u64, BenchError> {
            let text = lines.get(name).ok_or(BenchError::Info(name))?;
            text.trim().parse().map_err(|_| BenchError::Info(name))
        };
        let (mut commands, mut scripts) = (0, 0);
        for (name, stats) in &lines {
            let Some(command) = name.strip_prefix("cmdstat_") else {
                continue;
            };
            let calls = stats.split(',').find_map(|s| s.strip_prefix("calls="));
            let calls: u64 = calls.and_then(|n| n.parse().ok()).unwrap_or(0);
            if command == "info" {
                // The looks themselves.
                continue;
            }
            commands += calls;
            if matches!(command, "evalsha" | "eval" | "fcall") {
                scripts += calls;
            }
        }
        Ok(Self {
            cpu_us: (seconds("used_cpu_user")? + seconds("used_cpu_sys")?) * 1e6,
            commands,
            scripts,
            memory: bytes("used_memory")?,
            rss: bytes("used_memory_rss")?,
            file: bytes("aof_current_size").ok(),
        })
    }

    /// Name and version of the server, from the reply to `INFO all`.
    pub(crate) fn server(info: &str) -> String {
        let value = |name: &str| {
            info.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        match (value("valkey_version"), value("redis_version")) {
            (Some(version), _) => format!("valkey {version}"),
            (None, Some(version)) => format!("redis {version}"),
            (None, None) => "unknown".to_owned(),
        }
    }

    /// Bytes of the append-only file since `before`; none without a file, or when it was rewritten meanwhile.
    pub(crate) fn written_since(&self, before: &Self) -> Option<u64> {
        self.file?.checked_sub(before.file?)
    }

    /// CPU, commands and bytes in the file for each of so many tasks since `before`.
    pub(crate) fn cost_since(&self, before: &Self, tasks: u64) -> Vec<Measure> {
        let commands = self.commands.saturating_sub(before.commands);
        let cpu = self.cpu_since(before, tasks);
        let mut measures = vec![
            Measure::new("redis cpu", "µs/task", cpu),
            Measure::new(
                "redis commands",
                "commands/task",
                each(number(commands), tasks),
            ),
        ];
        measures
            .extend(self.written_since(before).map(|bytes| {
                Measure::new("written to file", "B/task", each(number(bytes), tasks))
            }));
        measures
    }

    /// Bytes of memory for each of so many tasks since `before`.
    pub(crate) fn memory_since(&self, before: &Self, tasks: u64) -> Measure {
        let bytes = self.memory.saturating_sub(before.memory);
        Measure::new("redis memory", "B/task", each(number(bytes), tasks))
    }

    /// CPU time for each of so many tasks since `before`, µs.
    pub(crate) fn cpu_since(&self, before: &Self, tasks: u64) -> f64 {
        each(self.cpu_us - before.cpu_us, tasks)
    }

    /// How much more CPU time the busiest of several servers took than they did on average, %.
    pub(crate) fn unevenness(after: &[Self], before: &[Self]) -> Option<Measure> {
        let took: Vec<f64> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after.cpu_us - before.cpu_us)
            .collect();
        let mean = took.iter().sum::<f64>() / number(took.len() as u64);
        let most = took.iter().copied().fold(0.0, f64::max);
        let more = (most / mean - 1.0) * 100.0;
        (took.len() > 1).then(|| Measure::new("busiest master", "% over the mean", more))
    }

    /// Resident memory of the server.
    pub(crate) fn resident(&self) -> Measure {
        Measure::new("redis rss", "MiB", number(self.rss) / MIB)
    }
}

impl<'a> Sum<&'a Self> for Sample {
    fn sum<I: Iterator<Item = &'a Self>>(shards: I) -> Self {
        let sum = shards.cloned().reduce(|a, b| Self {
            cpu_us: a.cpu_us + b.cpu_us,
            commands: a.commands + b.commands,
            scripts: a.scripts + b.scripts,
            memory: a.memory + b.memory,
            rss: a.rss + b.rss,
            file: a.file.zip(b.file).map(|(a, b)| a + b),
        });
        sum.unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nused_memory:1000\r\nused_memory_rss:2000\r\n\
        used_cpu_sys:1.5\r\nused_cpu_user:2.5\r\naof_current_size:30\r\n\
        cmdstat_evalsha:calls=10,usec=5\r\ncmdstat_hset:calls=40,usec=5\r\n\
        cmdstat_info:calls=7,usec=5\r\n";

    #[test]
    fn a_sample_is_read_whole() {
        let sample = Sample::parse(INFO).unwrap();
        let expected = Sample {
            cpu_us: 4e6,
            commands: 50,
            scripts: 10,
            memory: 1000,
            rss: 2000,
            file: Some(30),
        };
        assert_eq!(sample, expected);
        assert_eq!(Sample::server(INFO), "redis 7.0.15");
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Sample::parse("used_cpu_user:1\r\nused_cpu_sys:1\r\n").unwrap_err();
        assert!(error.to_string().contains("used_memory"), "{error}");
    }

    #[test]
    fn a_rewritten_file_gives_no_figure() {
        let sample = |file| Sample {
            file,
            ..Sample::default()
        };
        assert_eq!(sample(Some(30)).written_since(&sample(Some(10))), Some(20));
        assert_eq!(sample(Some(5)).written_since(&sample(Some(10))), None);
        assert_eq!(sample(Some(5)).written_since(&sample(None)), None);
    }
}
