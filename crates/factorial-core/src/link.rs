//! Connections to Redis.
//!
//! Ordinary calls share a few multiplexed connections, *lanes*, taken from the pool for good, so that calls made at
//! the same time travel together; waiting for work and subscriptions have connections of their own. A broken lane is
//! replaced by the next call that needs it, and a call is repeated once on a fresh lane: every script can be repeated.
//! One that is half-open is given up by the first call without an answer, or earlier by whoever suspects it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use deadpool_redis::{
    Connection, Pool,
    redis::{Client, Cmd, Pipeline, RedisError, Value, aio::MultiplexedConnection},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};

use crate::error::{StoreError, UnavailableReason};

type Sending<'a, R> = Pin<Box<dyn Future<Output = Result<R, RedisError>> + Send + 'a>>;

struct Lane {
    connection: ArcSwapOption<MultiplexedConnection>,
    connecting: Mutex<()>,
}

/// The connections of one process to one Redis.
pub(crate) struct Link {
    pool: Pool,
    client: Client,
    lanes: Box<[Lane]>,
    next: AtomicUsize,
    timeout: Duration,
}

impl Link {
    pub(crate) fn new(pool: Pool, client: Client, lanes: usize, timeout: Duration) -> Self {
        let lanes = (0..lanes.max(1))
            .map(|_| Lane {
                connection: ArcSwapOption::empty(),
                connecting: Mutex::new(()),
            })
            .collect();
        Self {
            pool,
            client,
            lanes,
            next: AtomicUsize::new(0),
            timeout,
        }
    }

    /// For connections that are not shared: subscriptions and blocking reads.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    async fn connection(&self, lane: &Lane) -> Result<Arc<MultiplexedConnection>, StoreError> {
        if let Some(connection) = lane.connection.load_full() {
            return Ok(connection);
        }
        let _one_at_a_time = lane.connecting.lock().await;
        if let Some(connection) = lane.connection.load_full() {
            return Ok(connection);
        }
        let connection = self.pool.get().await.map_err(|e| match e {
            deadpool_redis::PoolError::Backend(e) => StoreError::from(e),
            other => StoreError::unavailable(UnavailableReason::Connection, other.to_string()),
        })?;
        // Taken for good: a half-open one that went back would be tried there again, and hold up the lane.
        let connection = Arc::new(Connection::take(connection));
        lane.connection.store(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Forgets a broken connection, unless somebody has replaced it already.
    fn discard(lane: &Lane, broken: &Arc<MultiplexedConnection>) {
        let current = lane.connection.load();
        if current.as_ref().is_some_and(|c| Arc::ptr_eq(c, broken)) {
            lane.connection.store(None);
        }
    }

    /// Another connection of this process has fallen silent: the lanes may have as well, so later calls take new ones.
    pub(crate) fn suspect(&self) {
        for lane in &self.lanes {
            lane.connection.store(None);
        }
    }

    async fn attempt<'a, T, F, R>(&self, call: &'a T, run: &F) -> Result<R, StoreError>
    where
        F: Fn(MultiplexedConnection, &'a T) -> Sending<'a, R>,
    {
        let lane = &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        let late = |what| StoreError::unavailable(UnavailableReason::Timeout, what);
        // One bound for all of it, so that the last step sees its end and can give the lane up.
        let deadline = Instant::now() + self.timeout;
        let mut repeated = false;
        loop {
            let connection = timeout_at(deadline, self.connection(lane))
                .await
                .map_err(|_| late("no connection in time"))??;
            let error = match timeout_at(deadline, run((*connection).clone(), call)).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(e)) => e,
                Err(_) => {
                    Self::discard(lane, &connection);
                    return Err(late("no reply in time"));
                }
            };
            let broken = error.is_connection_dropped()
                || error.is_io_error()
                || error.is_unrecoverable_error();
            if broken || error.code() == Some("READONLY") {
                Self::discard(lane, &connection);
            }
            if !broken || repeated {
                return Err(error.into());
            }
            repeated = true;
        }
    }

    /// One command.
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, StoreError> {
        let run = |mut c: MultiplexedConnection, cmd| -> Sending<'_, Value> {
            Box::pin(async move { c.send_packed_command(cmd).await })
        };
        let value: Value = self.attempt(cmd, &run).await?;
        value.extract_error().map_err(Into::into)
    }

    /// Several commands in one round trip, not atomic. Fails as a whole.
    pub(crate) async fn pipeline(&self, pipe: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let count = pipe.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let run = move |mut c: MultiplexedConnection, pipe| -> Sending<'_, Vec<Value>> {
            Box::pin(async move { c.send_packed_commands(pipe, 0, count).await })
        };
        let values: Vec<Value> = self.attempt(pipe, &run).await?;
        values
            .into_iter()
            .map(|v| v.extract_error().map_err(StoreError::from))
            .collect()
    }
}
