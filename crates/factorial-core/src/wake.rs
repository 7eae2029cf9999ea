//! Waiting for work without polling: a blocking read of the wake lists of a worker's agents in one partition.
//!
//! A token in such a list wakes one waiter. It can be lost when its taker dies, so a wait ends after a second anyway
//! and the caller looks for itself.

use std::time::Duration;

use deadpool_redis::redis::{self, AsyncConnectionConfig, Value, aio::MultiplexedConnection};

use crate::{
    error::{StoreError, UnavailableReason},
    ids::{AgentName, Partition},
    store::Store,
};

/// How long Redis holds a wait.
const BLOCK_SECONDS: f64 = 1.0;
/// How long we wait for that before the connection counts as half open.
const PATIENCE: Duration = Duration::from_millis(1_250);

/// A connection of its own for waiting.
pub struct Waiter {
    store: Store,
    partition: Partition,
    connection: Option<(MultiplexedConnection, i64)>,
}

/// Ends a wait of a [`Waiter`] from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitId(i64);

impl Store {
    /// A waiter on one partition.
    #[must_use]
    pub fn waiter(&self, partition: Partition) -> Waiter {
        Waiter {
            store: self.clone(),
            partition,
            connection: None,
        }
    }

    /// Ends a wait early, so that it can start again with other agents. False: it has ended, or not begun.
    ///
    /// # Errors
    /// When Redis does not answer, or cannot do that.
    pub async fn unblock(&self, wait: WaitId) -> Result<bool, StoreError> {
        let mut cmd = redis::cmd("CLIENT");
        cmd.arg("UNBLOCK").arg(wait.0);
        let ended = self.0.link.command(&cmd).await?;
        Ok(matches!(ended, Value::Int(1)))
    }

    /// Whether an agent has queued tasks in a partition.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn has_queued(
        &self,
        partition: Partition,
        agents: &[AgentName],
    ) -> Result<bool, StoreError> {
        let mut cmd = redis::cmd("EXISTS");
        for agent in agents {
            cmd.arg(self.0.keys.ring(partition, agent));
        }
        Ok(matches!(self.0.link.command(&cmd).await?, Value::Int(n) if n > 0))
    }
}

impl Waiter {
    /// Connects if need be; the id is for [`Store::unblock`].
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ready(&mut self) -> Result<WaitId, StoreError> {
        if let Some((_, id)) = &self.connection {
            return Ok(WaitId(*id));
        }
        let patience = self.store.0.link.timeout();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(PATIENCE));
        let connect = self
            .store
            .0
            .link
            .client()
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = tokio::time::timeout(patience, connect)
            .await
            .map_err(|_| {
                StoreError::unavailable(UnavailableReason::Timeout, "no connection in time")
            })??;
        let mut cmd = redis::cmd("CLIENT");
        cmd.arg("ID");
        let id = match connection.send_packed_command(&cmd).await? {
            Value::Int(id) => id,
            other => return Err(StoreError::corrupt("client id", format!("{other:?}"))),
        };
        self.connection = Some((connection, id));
        Ok(WaitId(id))
    }

    /// Waits until one of the agents may have work, for at most a second. `None`: nobody called; look anyway.
    ///
    /// # Errors
    /// When Redis does not answer; the next call connects anew.
    pub async fn wait(&mut self, agents: &[AgentName]) -> Result<Option<AgentName>, StoreError> {
        self.ready().await?;
        let Some((connection, _)) = &mut self.connection else {
            return Err(StoreError::unavailable(
                UnavailableReason::Connection,
                "no connection",
            ));
        };
        let mut cmd = redis::cmd("BLPOP");
        let keys: Vec<String> = agents
            .iter()
            .map(|a| self.store.0.keys.wake(self.partition, a))
            .collect();
        cmd.arg(&keys).arg(BLOCK_SECONDS);
        let reply = connection
            .send_packed_command(&cmd)
            .await
            .and_then(Value::extract_error);
        match reply {
            Ok(Value::Array(items)) => {
                let key = items
                    .into_iter()
                    .next()
                    .and_then(|v| crate::script::text(v).ok())
                    .unwrap_or_default();
                Ok(keys
                    .iter()
                    .position(|k| *k == key)
                    .and_then(|i| agents.get(i))
                    .cloned())
            }
            Ok(_) => Ok(None),
            Err(e) if e.code() == Some("UNBLOCKED") => Ok(None),
            Err(e) => {
                self.connection = None;
                if e.is_timeout() {
                    // The first to notice: others wait for their answers much longer.
                    self.store.0.link.suspect();
                }
                Err(e.into())
            }
        }
    }
}
