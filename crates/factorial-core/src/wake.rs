//! Waiting for work without polling: a blocking read of the wake lists of a worker's agents in one partition.
//!
//! A token in such a list wakes one waiter. It can be lost when its taker dies, so whoever waits also looks for itself,
//! once a second. The look notices a Redis, or a connection, that has fallen silent.

use std::{sync::Arc, time::Duration};

use deadpool_redis::redis::{self, AsyncConnectionConfig, Value, aio::MultiplexedConnection};

use crate::{
    error::{StoreError, UnavailableReason},
    ids::{AgentName, Partition},
    node::Node,
    store::Store,
};

/// How long Redis holds a wait; where nobody can end it, it must end soon by itself.
const BLOCK: Duration = Duration::from_secs(30);
const BLOCK_WITHOUT_END: Duration = Duration::from_secs(1);
/// How long an answer that is due may take before its connection counts as half open.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection of its own for waiting.
pub struct Waiter {
    store: Store,
    partition: Partition,
    connection: Option<Waiting>,
}

struct Waiting {
    connection: MultiplexedConnection,
    id: WaitId,
    block: Duration,
}

/// Ends a wait of a [`Waiter`] from outside.
#[derive(Clone, Debug)]
pub struct WaitId {
    /// The server that counts its connections so.
    node: Arc<Node>,
    client: i64,
}

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
    pub async fn unblock(&self, wait: &WaitId) -> Result<bool, StoreError> {
        let mut cmd = redis::cmd("CLIENT");
        cmd.arg("UNBLOCK").arg(wait.client);
        let ended = self.0.link.command_at(&wait.node, &cmd).await?;
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
        match tokio::time::timeout(PATIENCE, self.0.link.command(&cmd)).await {
            Ok(reply) => Ok(matches!(reply?, Value::Int(n) if n > 0)),
            Err(_) => {
                // The first to notice: others wait for their answers much longer.
                if let Ok(node) = self.0.link.node_of(&self.base(partition)) {
                    self.0.link.suspect(&node);
                }
                Err(StoreError::silent("a look for work"))
            }
        }
    }
}

impl Waiter {
    /// Connects if need be; the id is for [`Store::unblock`].
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn ready(&mut self) -> Result<WaitId, StoreError> {
        if let Some(waiting) = &self.connection {
            return Ok(waiting.id.clone());
        }
        let connecting = tokio::time::timeout(self.store.0.link.timeout(), self.connect());
        let waiting = connecting
            .await
            .map_err(|_| StoreError::silent("a connection to wait on"))??;
        let id = waiting.id.clone();
        self.connection = Some(waiting);
        Ok(id)
    }

    async fn connect(&self) -> Result<Waiting, StoreError> {
        let link = &self.store.0.link;
        let node = link.node_of(&self.store.base(self.partition))?;
        let connected = self.connect_to(Arc::clone(&node)).await;
        if connected.is_err() {
            link.look_again();
        }
        connected
    }

    async fn connect_to(&self, node: Arc<Node>) -> Result<Waiting, StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.store.0.link.timeout()))
            .set_response_timeout(Some(BLOCK + PATIENCE));
        let mut connection = node
            .client()
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        let mut cmd = redis::cmd("CLIENT");
        cmd.arg("ID");
        let client = match connection.send_packed_command(&cmd).await? {
            Value::Int(id) => id,
            other => return Err(StoreError::corrupt("client id", format!("{other:?}"))),
        };
        let mut cmd = redis::cmd("CLIENT");
        cmd.arg("UNBLOCK").arg(client);
        let end = connection
            .send_packed_command(&cmd)
            .await
            .and_then(Value::extract_error);
        let block = match end {
            Ok(_) => BLOCK,
            Err(e) if e.is_io_error() || e.is_connection_dropped() => return Err(e.into()),
            Err(_) => BLOCK_WITHOUT_END,
        };
        Ok(Waiting {
            connection,
            id: WaitId { node, client },
            block,
        })
    }

    /// Gives the connection up, and with it a wait that may still be going on there.
    pub fn reset(&mut self) {
        self.connection = None;
    }

    /// Waits until one of the agents may have work, for some seconds at most. `None`: nobody called.
    ///
    /// # Errors
    /// When Redis does not answer; the next call connects anew.
    pub async fn wait(&mut self, agents: &[AgentName]) -> Result<Option<AgentName>, StoreError> {
        self.ready().await?;
        let Some(waiting) = &mut self.connection else {
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
        cmd.arg(&keys).arg(waiting.block.as_secs_f64());
        let reply = waiting
            .connection
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
                let link = &self.store.0.link;
                if e.is_timeout() {
                    // The first to notice: others wait for their answers much longer.
                    link.suspect(&waiting.id.node);
                } else {
                    link.look_again();
                }
                self.connection = None;
                Err(e.into())
            }
        }
    }
}
