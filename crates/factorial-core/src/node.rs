//! One server, and the connections of this process to it.
//!
//! Ordinary calls share a few multiplexed connections, *lanes*, taken from the pool for good, so that calls made at
//! the same time travel together; waiting for work and subscriptions have connections of their own. A broken lane is
//! replaced by the next call that needs it, and a call is repeated once on a fresh lane: every script can be repeated.
//! One that is half-open is given up by the first call without an answer, or earlier by whoever suspects it.

use std::{
    fmt,
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
    Connection, Manager, Pool,
    redis::{
        self, AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, RedisError,
        RedisResult, Value, aio::MultiplexedConnection,
    },
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

/// How a process connects to each server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial {
    /// Shared connections for ordinary calls.
    pub(crate) lanes: usize,
    /// Most connections.
    pub(crate) most: usize,
    /// Most time for a connection to stand.
    pub(crate) timeout: Duration,
    /// A server that is no master is not used: one that was replaced may still answer reads.
    pub(crate) masters_only: bool,
}

/// A server.
pub(crate) struct Node {
    pool: Pool,
    client: Client,
    address: String,
    lanes: Box<[Lane]>,
    next: AtomicUsize,
    masters_only: bool,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.address())
    }
}

impl Node {
    pub(crate) fn new(info: ConnectionInfo, dial: Dial) -> RedisResult<Self> {
        let address = info.addr().to_string();
        let client = Client::open(info.clone())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(dial.timeout))
            .set_response_timeout(None);
        let manager = Manager::new_with_config(info, config)?;
        let pool = Pool::builder(manager)
            .max_size(dial.most.max(dial.lanes))
            .build()
            .map_err(|e| RedisError::from(std::io::Error::other(e)))?;
        let lanes = (0..dial.lanes.max(1))
            .map(|_| Lane {
                connection: ArcSwapOption::empty(),
                connecting: Mutex::new(()),
            })
            .collect();
        Ok(Self {
            pool,
            client,
            address,
            lanes,
            next: AtomicUsize::new(0),
            masters_only: dial.masters_only,
        })
    }

    /// Host and port, or the path of a socket; no secrets.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The host alone.
    pub(crate) fn host(&self) -> &str {
        crate::address::host(self.client.get_connection_info())
    }

    /// For connections that are not shared: subscriptions and blocking reads.
    pub(crate) fn client(&self) -> &Client {
        &self.client
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
        let mut connection = Connection::take(connection);
        if self.masters_only {
            is_master(&mut connection).await?;
        }
        let connection = Arc::new(connection);
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

    /// Another connection to this server has fallen silent: the lanes may have as well, so later calls take new ones.
    pub(crate) fn suspect(&self) {
        for lane in &self.lanes {
            lane.connection.store(None);
        }
    }

    async fn attempt<'a, T, F, R>(
        &self,
        deadline: Instant,
        call: &'a T,
        run: &F,
    ) -> Result<R, StoreError>
    where
        F: Fn(MultiplexedConnection, &'a T) -> Sending<'a, R>,
    {
        let lane = &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        let late = |what| StoreError::unavailable(UnavailableReason::Timeout, what);
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
            if broken {
                Self::discard(lane, &connection);
            }
            if !broken || repeated {
                return Err(error.into());
            }
            repeated = true;
        }
    }

    /// One command. What the server refuses is a value. The deadline is one bound for all of it, so that the last step
    /// sees its end and can give the lane up.
    pub(crate) async fn command(&self, cmd: &Cmd, deadline: Instant) -> Result<Value, StoreError> {
        let run = |mut c: MultiplexedConnection, cmd| -> Sending<'_, Value> {
            Box::pin(async move { c.send_packed_command(cmd).await })
        };
        let value = self.attempt(deadline, cmd, &run).await?;
        if matches!(&value, Value::ServerError(e) if e.code() == "READONLY") {
            // It was a master when it was connected to.
            self.suspect();
        }
        Ok(value)
    }

    /// Several commands in one round trip, not atomic. The first `skip` replies are left out.
    pub(crate) async fn pipeline(
        &self,
        pipe: &Pipeline,
        skip: usize,
        deadline: Instant,
    ) -> Result<Vec<Value>, StoreError> {
        let count = pipe.len() - skip;
        let run = move |mut c: MultiplexedConnection, pipe| -> Sending<'_, Vec<Value>> {
            Box::pin(async move { c.send_packed_commands(pipe, skip, count).await })
        };
        self.attempt(deadline, pipe, &run).await
    }
}

async fn is_master(connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
    let role = connection.send_packed_command(&redis::cmd("ROLE")).await?;
    let role = match role.extract_error()? {
        Value::Array(items) => items.into_iter().next().map(crate::script::text),
        _ => None,
    };
    match role {
        Some(Ok(role)) if role == "master" => Ok(()),
        _ => Err(StoreError::unavailable(
            UnavailableReason::NotReady,
            "the server is not the master",
        )),
    }
}
