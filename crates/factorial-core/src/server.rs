//! What Redis says of itself.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{self, Value};

use crate::{error::StoreError, link::Link, script::text, store::Store};

/// The part of `INFO` that says whether the server is well; what it does not say is 0, empty or `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerInfo {
    /// Version of the software.
    pub version: String,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: String,
    /// Bytes in use.
    pub used_memory: u64,
    /// Most bytes, if there is a limit.
    pub max_memory: Option<u64>,
    /// Connected clients.
    pub clients: u64,
    /// Commands in the last second, as the server counts.
    pub commands_per_second: u64,
    /// The append-only file is on.
    pub append_only: bool,
    /// Since its start, s.
    pub uptime_seconds: u64,
    /// Memory that the system gave for each byte in use.
    pub fragmentation: Option<f64>,
    /// It is a node of a cluster.
    pub clustered: bool,
}

impl ServerInfo {
    fn parse(text: &str) -> Self {
        let fields: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .collect();
        let word = |name: &str| fields.get(name).copied().unwrap_or_default();
        let number = |name: &str| word(name).parse().unwrap_or(0);
        Self {
            version: word("redis_version").to_owned(),
            mode: word("redis_mode").to_owned(),
            used_memory: number("used_memory"),
            max_memory: Some(number("maxmemory")).filter(|max| *max > 0),
            clients: number("connected_clients"),
            commands_per_second: number("instantaneous_ops_per_sec"),
            append_only: word("aof_enabled") == "1",
            uptime_seconds: number("uptime_in_seconds"),
            fragmentation: word("mem_fragmentation_ratio")
                .parse()
                .ok()
                .filter(|ratio: &f64| ratio.is_finite()),
            clustered: word("cluster_enabled") == "1",
        }
    }

    /// What each server that has keys says; nothing, if one does not let us ask.
    pub(crate) async fn ask(link: &Link) -> Result<Vec<Self>, StoreError> {
        let answers = match link.everywhere(&redis::cmd("INFO")).await {
            Err(StoreError::Refused(_)) => return Ok(Vec::new()),
            answers => answers?,
        };
        let texts = answers.into_iter().map(|answer| match answer {
            Value::VerbatimString { text, .. } => text,
            other => text(other).unwrap_or_default(),
        });
        Ok(texts.map(|text| Self::parse(&text)).collect())
    }

    /// As two numbers, such as 7 and 0; what does not say is not older.
    pub(crate) fn is_older_than(&self, wanted: (u32, u32)) -> bool {
        let mut numbers = self.version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < wanted,
            _ => false,
        }
    }

    /// Of two servers together: sums; the one of which less is known to be good.
    fn and(self, other: &Self) -> Self {
        Self {
            used_memory: self.used_memory + other.used_memory,
            max_memory: self.max_memory.zip(other.max_memory).map(|(a, b)| a + b),
            clients: self.clients + other.clients,
            commands_per_second: self.commands_per_second + other.commands_per_second,
            append_only: self.append_only && other.append_only,
            uptime_seconds: self.uptime_seconds.min(other.uptime_seconds),
            fragmentation: match (self.fragmentation, other.fragmentation) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            },
            ..self
        }
    }
}

impl Store {
    /// What Redis says of itself, all servers that have keys together; nothing, if it does not let us ask.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn server_info(&self) -> Result<ServerInfo, StoreError> {
        let all = ServerInfo::ask(&self.0.link).await?;
        Ok(all.into_iter().reduce(|a, b| a.and(&b)).unwrap_or_default())
    }

    /// One round trip of a command that does nothing.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn latency(&self) -> Result<Duration, StoreError> {
        let started = Instant::now();
        self.ping().await?;
        Ok(started.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_read() {
        let info = ServerInfo::parse(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nuptime_in_seconds:12\r\n\r\n# Memory\r\n\
             used_memory:1048576\r\nmaxmemory:0\r\nmem_fragmentation_ratio:1.25\r\naof_enabled:1\r\nconnected_clients:3\r\n",
        );
        assert_eq!(info.version, "7.0.15");
        assert_eq!((info.used_memory, info.max_memory), (1_048_576, None));
        assert_eq!(info.fragmentation, Some(1.25));
        assert!(info.append_only);
        assert_eq!(ServerInfo::parse(""), ServerInfo::default());
        let both = info.clone().and(&info);
        assert_eq!(
            (both.used_memory, both.clients, both.max_memory),
            (2_097_152, 6, None)
        );
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let older = |version: &str| {
            let version = version.to_owned();
            ServerInfo {
                version,
                ..ServerInfo::default()
            }
            .is_older_than((6, 2))
        };
        assert!(older("6.0.16") && older("5.0"));
        assert!(
            !older("6.2.0")
                && !older("7.0.15")
                && !older("10.0.1")
                && !older("")
                && !older("unstable")
        );
    }
}
