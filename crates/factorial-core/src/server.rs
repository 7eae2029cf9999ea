//! What Redis says of itself.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{self, Value};

use crate::{error::StoreError, script::text, store::Store};

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
        }
    }
}

impl Store {
    /// What Redis says of itself; nothing, if it does not let us ask.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn server_info(&self) -> Result<ServerInfo, StoreError> {
        let text = match self.0.link.command(&redis::cmd("INFO")).await {
            Ok(Value::VerbatimString { text, .. }) => text,
            Ok(other) => text(other).unwrap_or_default(),
            Err(StoreError::Refused(_)) => String::new(),
            Err(e) => return Err(e),
        };
        Ok(ServerInfo::parse(&text))
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
    }
}
