//! The Redis that is measured, and a connection beside the store for looking at it.
//!
//! The one place here, with the ceilings, that speaks Redis itself: what it asks is about the server, not about tasks.

use deadpool_redis::redis::{
    self, AsyncConnectionConfig, Client, FromRedisValue, aio::MultiplexedConnection,
};
use factorial_core::Namespace;
use factorial_local_redis::{Engine, Listen, LocalRedis, Options as LocalOptions};
use futures::future::try_join_all;

use crate::error::BenchError;
use crate::sample::Sample;
use crate::shards;

/// Keys that are looked through, and removed, at once.
const SWEPT: usize = 1_000;

/// A server, or the masters of a cluster. Dropping it ends a private one.
pub(crate) struct Server {
    clients: Vec<Client>,
    url: String,
    connections: Vec<MultiplexedConnection>,
    private: Option<LocalRedis>,
}

impl Server {
    /// Starts a private server, or connects to the one that is there, at `url`.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub(crate) async fn open(url: Option<&str>) -> Result<Self, BenchError> {
        let (url, private) = if let Some(url) = url {
            (url.to_owned(), None)
        } else {
            let local = start().await?;
            (local.url(), Some(local))
        };
        let clients = shards::clients(&url).await?;
        let connections = try_join_all(clients.iter().map(connect)).await?;
        Ok(Self {
            clients,
            url,
            connections,
            private,
        })
    }

    /// As the store takes it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// One more connection.
    ///
    /// # Errors
    /// When Redis does not answer, or is a cluster.
    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection, BenchError> {
        match self.clients.as_slice() {
            [client] => connect(client).await,
            _ => Err(BenchError::Options(
                "ceilings are measured on one server, not on a cluster".to_owned(),
            )),
        }
    }

    /// A look at it, all masters of a cluster together.
    ///
    /// # Errors
    /// When it does not say enough about itself.
    pub(crate) async fn sample(&self) -> Result<Sample, BenchError> {
        Ok(self.shards().await?.iter().sum())
    }

    /// A look at each master.
    ///
    /// # Errors
    /// When one does not say enough about itself.
    pub(crate) async fn shards(&self) -> Result<Vec<Sample>, BenchError> {
        let looks = self.connections.iter().map(async |shard| {
            let info: String = ask(shard, &["INFO", "all"]).await?;
            Sample::parse(&info)
        });
        try_join_all(looks).await
    }

    /// Members of a sorted set, each with its score as a whole number.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn scores(&self, key: &str) -> Result<Vec<(String, u64)>, BenchError> {
        let mut answer = Ok(Vec::new());
        for shard in &self.connections {
            answer = ask(shard, &["ZRANGE", key, "0", "-1", "WITHSCORES"]).await;
            // Only one of them has the key; the others say so.
            if answer.is_ok() {
                break;
            }
        }
        answer
    }

    /// Its name and version.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn describe(&self) -> Result<String, BenchError> {
        let mut described = String::from("unknown");
        if let Some(shard) = self.connections.first() {
            described = Sample::server(&ask::<String>(shard, &["INFO", "all"]).await?);
        }
        if self.connections.len() > 1 {
            described.push_str(&format!(", {} masters", self.connections.len()));
        }
        Ok(described)
    }

    /// Removes everything of a namespace; of a private server, everything.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn clear(&self, namespace: &Namespace) -> Result<(), BenchError> {
        for shard in &self.connections {
            if self.private.is_some() {
                ask::<()>(shard, &["FLUSHALL", "SYNC"]).await?;
            } else {
                sweep(shard, namespace).await?;
            }
        }
        Ok(())
    }

    /// Ends a private server, without blocking the runtime.
    ///
    /// # Errors
    /// When the part that does so panics.
    pub(crate) async fn close(self) -> Result<(), BenchError> {
        let private = self.private;
        Ok(tokio::task::spawn_blocking(move || drop(private)).await?)
    }
}

/// Removes the keys of a namespace that a server has.
async fn sweep(shard: &MultiplexedConnection, namespace: &Namespace) -> Result<(), BenchError> {
    let pattern = format!("{{{namespace}[:}}]*");
    let count = SWEPT.to_string();
    let mut cursor = "0".to_owned();
    loop {
        let scan = ["SCAN", &cursor, "MATCH", &pattern, "COUNT", &count];
        let (next, keys): (String, Vec<String>) = ask(shard, &scan).await?;
        // One by one: in a cluster they have different slots.
        let mut pipe = redis::pipe();
        for key in &keys {
            pipe.cmd("UNLINK").arg(key).ignore();
        }
        if !keys.is_empty() {
            pipe.query_async::<()>(&mut shard.clone()).await?;
        }
        if next == "0" {
            return Ok(());
        }
        cursor = next;
    }
}

async fn ask<T: FromRedisValue>(
    shard: &MultiplexedConnection,
    command: &[&str],
) -> Result<T, BenchError> {
    let mut words = command.iter();
    let mut cmd = redis::cmd(words.next().copied().unwrap_or_default());
    for word in words {
        cmd.arg(*word);
    }
    Ok(cmd.query_async(&mut shard.clone()).await?)
}

async fn start() -> Result<LocalRedis, BenchError> {
    let options = LocalOptions {
        engine: Engine::Server,
        // As services reach theirs: a Unix socket would flatter.
        listen: Listen::Tcp { port: 0 },
        // A rewrite in the middle of a repeat would hide what was written.
        config: vec![("auto-aof-rewrite-percentage".to_owned(), "0".to_owned())],
        ..LocalOptions::default()
    };
    Ok(tokio::task::spawn_blocking(move || LocalRedis::start(options)).await??)
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, BenchError> {
    // Removing 50,000 tasks at once takes the server longer than the library's default patience.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .map_err(BenchError::Unreachable)
}
