//! The Redis that is measured, and a connection beside the store for looking at it.
//!
//! The one place here, with the ceilings, that speaks Redis itself: what it asks is about the server, not about tasks.

use deadpool_redis::redis::{
    self, AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo as _,
    aio::MultiplexedConnection, io::tcp::TcpSettings,
};
use factorial_core::Namespace;
use factorial_local_redis::{Engine, Listen, LocalRedis, Options as LocalOptions};

use crate::error::BenchError;
use crate::sample::Sample;

/// Keys that are looked through, and removed, at once.
const SWEPT: usize = 1_000;

/// A server. Dropping it ends a private one.
pub(crate) struct Server {
    client: Client,
    url: String,
    connection: MultiplexedConnection,
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
        // As the services connect.
        let tcp = TcpSettings::default().set_nodelay(true);
        let address = url.as_str().into_connection_info();
        let address = address
            .map_err(BenchError::Unreachable)?
            .set_tcp_settings(tcp);
        let client = Client::open(address).map_err(BenchError::Unreachable)?;
        let connection = connect(&client).await?;
        Ok(Self {
            client,
            url,
            connection,
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
    /// When Redis does not answer.
    pub(crate) async fn connection(&self) -> Result<MultiplexedConnection, BenchError> {
        connect(&self.client).await
    }

    async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> Result<T, BenchError> {
        let mut words = command.iter();
        let mut cmd = redis::cmd(words.next().copied().unwrap_or_default());
        for word in words {
            cmd.arg(*word);
        }
        Ok(cmd.query_async(&mut self.connection.clone()).await?)
    }

    /// A look at it.
    ///
    /// # Errors
    /// When it does not say enough about itself.
    pub(crate) async fn sample(&self) -> Result<Sample, BenchError> {
        Sample::parse(&self.ask::<String>(&["INFO", "all"]).await?)
    }

    /// Members of a sorted set, each with its score as a whole number.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn scores(&self, key: &str) -> Result<Vec<(String, u64)>, BenchError> {
        self.ask(&["ZRANGE", key, "0", "-1", "WITHSCORES"]).await
    }

    /// Its name and version.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn describe(&self) -> Result<String, BenchError> {
        Ok(Sample::server(&self.ask::<String>(&["INFO", "all"]).await?))
    }

    /// Removes everything of a namespace; of a private server, everything.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn clear(&self, namespace: &Namespace) -> Result<(), BenchError> {
        if self.private.is_some() {
            return self.ask::<()>(&["FLUSHALL", "SYNC"]).await;
        }
        let pattern = format!("{{{namespace}[:}}]*");
        let count = SWEPT.to_string();
        let mut cursor = "0".to_owned();
        loop {
            let scan = ["SCAN", &cursor, "MATCH", &pattern, "COUNT", &count];
            let (next, keys): (String, Vec<String>) = self.ask(&scan).await?;
            if !keys.is_empty() {
                let unlink: Vec<&str> = ["UNLINK"]
                    .into_iter()
                    .chain(keys.iter().map(String::as_str))
                    .collect();
                self.ask::<()>(&unlink).await?;
            }
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
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
