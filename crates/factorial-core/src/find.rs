//! Finding out which servers there are: by Sentinels, or by the nodes of a cluster.
//!
//! Called by `link.rs` at the start and whenever a reply shows that what it knows is old. An answer can be old as well; the
//! next call that goes wrong has it asked again.

use std::{sync::Arc, time::Duration};

use deadpool_redis::redis::{self, Client, ConnectionInfo, RedisResult, Value};
use futures::{
    future::join_all,
    stream::{FuturesUnordered, StreamExt as _},
};
use tokio::time::{Instant, timeout};

use crate::{
    address::{Address, Kind, elsewhere},
    error::{StoreError, UnavailableReason},
    map::{Map, ranges},
    node::{Dial, Node},
    script::Reply,
};

/// How long one server may take to say who serves.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Who is asked.
pub(crate) enum Finder {
    Sentinel(Sentinels),
    Cluster(Box<Cluster>),
}

/// Sentinels, and the name of the master that they watch.
pub(crate) struct Sentinels {
    sentinels: Vec<ConnectionInfo>,
    service: String,
    dial: Dial,
}

/// The nodes of a cluster that the address names.
pub(crate) struct Cluster {
    seeds: Vec<Arc<Node>>,
    like: ConnectionInfo,
    dial: Dial,
}

impl Finder {
    pub(crate) fn new(address: &Address, dial: Dial) -> Result<Self, StoreError> {
        Ok(match &address.kind {
            Kind::Sentinel(service) => Self::Sentinel(Sentinels {
                sentinels: address.servers.clone(),
                service: service.clone(),
                dial: Dial {
                    masters_only: true,
                    ..dial
                },
            }),
            Kind::Single | Kind::Cluster => {
                let nodes = address.servers.iter();
                let seeds: RedisResult<Vec<_>> = nodes
                    .map(|info| Node::new(info.clone(), dial).map(Arc::new))
                    .collect();
                let seeds = seeds?;
                let like = address.servers.first().cloned().ok_or_else(nobody)?;
                Self::Cluster(Box::new(Cluster { seeds, like, dial }))
            }
        })
    }

    /// Asks, `hint` before the others; `known` are servers that may be used again.
    ///
    /// # Errors
    /// When nobody answers, or nobody knows.
    pub(crate) async fn find(
        &self,
        hint: Option<&Arc<Node>>,
        known: &[Arc<Node>],
    ) -> Result<Map, StoreError> {
        match self {
            Self::Sentinel(sentinels) => sentinels.find(known).await,
            Self::Cluster(cluster) => cluster.find(hint, known).await,
        }
    }
}

fn nobody() -> StoreError {
    StoreError::unavailable(UnavailableReason::Connection, "no server to ask")
}

/// The server at an address, one that is known if it is.
fn reuse(
    known: &[Arc<Node>],
    like: &ConnectionInfo,
    host: &str,
    port: u16,
    dial: Dial,
) -> Result<Arc<Node>, StoreError> {
    let info = elsewhere(like, host, port);
    let address = info.addr().to_string();
    match known.iter().find(|n| n.address() == address) {
        Some(node) => Ok(Arc::clone(node)),
        None => Ok(Arc::new(Node::new(info, dial)?)),
    }
}

/// What a Sentinel says of a master.
struct Named {
    host: String,
    port: u16,
    /// Grows with each fail-over.
    epoch: u64,
}

impl Sentinels {
    /// The master that the Sentinel which knows of the latest fail-over names, if it says itself that it is one. The first
    /// answer will not do: a Sentinel that has not heard of it names the old master, which may be back for a moment.
    async fn find(&self, known: &[Arc<Node>]) -> Result<Map, StoreError> {
        let asked = self.sentinels.iter().map(|sentinel| async move {
            let named = timeout(ANSWER_WITHIN, self.named_by(sentinel)).await;
            Ok((
                sentinel,
                named.map_err(|_| StoreError::silent("a Sentinel"))??,
            ))
        });
        let mut answers = Vec::new();
        let mut error = nobody();
        for answer in join_all(asked).await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(e) => error = e,
            }
        }
        let latest = answers.into_iter().max_by_key(|(_, named)| named.epoch);
        let (sentinel, named) = latest.ok_or(error)?;
        let node = reuse(known, sentinel, &named.host, named.port, self.dial)?;
        // The connection is made only to a server that says that it is a master.
        let deadline = Instant::now() + ANSWER_WITHIN;
        node.command(&redis::cmd("PING"), deadline).await?;
        Ok(Map::single(node))
    }

    async fn named_by(&self, sentinel: &ConnectionInfo) -> Result<Named, StoreError> {
        // User and password are those of the master, which the Sentinels may have as well, or none.
        let settings = sentinel.redis_settings().clone().set_db(0);
        let with = sentinel.clone().set_redis_settings(settings);
        let without = redis::RedisConnectionInfo::default();
        let without = sentinel.clone().set_redis_settings(without);
        let mut connection = match connect(with).await {
            Err(e) if e.kind() == redis::ErrorKind::AuthenticationFailed => connect(without).await,
            other => other,
        }?;
        let mut pipe = redis::pipe();
        // The address alone says nothing of its age, and in the other answer the address lags behind the epoch.
        for word in ["GET-MASTER-ADDR-BY-NAME", "MASTER"] {
            pipe.cmd("SENTINEL").arg(word).arg(&self.service);
        }
        let answers = connection.send_packed_commands(&pipe, 0, 2).await?;
        if matches!(answers.first(), Some(Value::Nil)) {
            let what = format!("the Sentinels know no master `{}`", self.service);
            return Err(StoreError::unavailable(UnavailableReason::NotReady, what));
        }
        let answers: RedisResult<Vec<Value>> =
            answers.into_iter().map(Value::extract_error).collect();
        let mut answers = Reply::new("sentinel", answers?);
        let mut address = answers.array()?;
        let (host, port) = (address.text()?, address.count()?);
        let port = u16::try_from(port).map_err(|_| answers.corrupt("port"))?;
        let (mut fields, mut epoch) = (answers.map()?, 0);
        while !fields.is_empty() {
            match fields.text()?.as_str() {
                "config-epoch" => epoch = fields.count()?,
                _ => drop(fields.value()?),
            }
        }
        Ok(Named { host, port, epoch })
    }
}

async fn connect(info: ConnectionInfo) -> RedisResult<redis::aio::MultiplexedConnection> {
    Client::open(info)?.get_multiplexed_async_connection().await
}

impl Cluster {
    /// The server at an address.
    pub(crate) fn node(
        &self,
        known: &[Arc<Node>],
        host: &str,
        port: u16,
    ) -> Result<Arc<Node>, StoreError> {
        reuse(known, &self.like, host, port, self.dial)
    }

    /// The view of `hint` if that one answers, else the first other answer.
    async fn find(&self, hint: Option<&Arc<Node>>, known: &[Arc<Node>]) -> Result<Map, StoreError> {
        let mut result = Err(nobody());
        let hint: Vec<&Arc<Node>> = hint.into_iter().collect();
        let others: Vec<&Arc<Node>> = known.iter().chain(&self.seeds).collect();
        for group in [hint, others] {
            let mut answers: FuturesUnordered<_> =
                group.iter().map(|node| self.view(node, known)).collect();
            while let Some(answer) = answers.next().await {
                match answer {
                    Ok(map) => return Ok(map),
                    Err(error) => result = Err(error),
                }
            }
        }
        result
    }

    async fn view(&self, node: &Arc<Node>, known: &[Arc<Node>]) -> Result<Map, StoreError> {
        let mut cmd = redis::cmd("CLUSTER");
        // Newer servers also have `CLUSTER SHARDS`, which says the same at more length.
        cmd.arg("SLOTS");
        let deadline = Instant::now() + ANSWER_WITHIN;
        let answer = node.command(&cmd, deadline).await?.extract_error()?;
        let mut known: Vec<Arc<Node>> = known.iter().chain(&self.seeds).cloned().collect();
        let mut spread = Vec::new();
        for range in ranges(answer)? {
            let host = range.host.clone();
            let host = host.unwrap_or_else(|| node.host().to_owned());
            let master = self.node(&known, &host, range.port)?;
            known.push(Arc::clone(&master));
            spread.push((range, master));
        }
        if spread.is_empty() {
            let what = "the cluster has no slots yet";
            return Err(StoreError::unavailable(UnavailableReason::NotReady, what));
        }
        Ok(Map::spread(spread))
    }
}
