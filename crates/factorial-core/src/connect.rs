//! Opening a namespace: connection, suitability of the server, number of partitions.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_redis::redis::{self, Value};

use crate::{
    address::{Address, InvalidAddress, TlsOptions},
    error::StoreError,
    group::Groups,
    ids::{Namespace, Partition},
    keys::Keys,
    link::Link,
    metrics::Accepted,
    node::Dial,
    script::{Reply, text},
    scripts::{enqueue::ENQUEUE, finish::FINISH},
    server::ServerInfo,
    store::{Inner, Store},
    timeline::TimelineConfig,
};

/// Version of the layout in Redis.
const SCHEMA: &str = "2";
/// Partitions of a new namespace on a cluster: as many on each of 2, 3, 4, 6 or 12 masters.
const CLUSTER_PARTITIONS: u16 = 12;
/// The oldest server that has what the scripts use.
const OLDEST: (u32, u32) = (6, 2);

/// How to reach Redis, and what is expected there. `Debug` shows no secrets.
#[derive(Clone)]
pub struct StoreOptions {
    /// See [`Address::parse`].
    pub url: String,
    /// Certificates, for addresses with TLS.
    pub tls: TlsOptions,
    /// Keeps installations apart.
    pub namespace: Namespace,
    /// Partitions: given to a new namespace, compared with an existing one. `None`: take what is there; for a new one 1, on
    /// a cluster 12.
    pub partitions: Option<u16>,
    /// Most connections of this process to a server.
    pub max_connections: usize,
    /// Shared connections for ordinary calls, to each server.
    pub lanes: usize,
    /// Most time that a call may take.
    pub timeout: Duration,
    /// Buckets of the metrics timeline.
    pub timeline: TimelineConfig,
    /// Most bytes of a conversation.
    pub max_conversation_bytes: u64,
}

impl StoreOptions {
    /// Defaults for a URL and a namespace.
    #[must_use]
    pub fn new(url: impl Into<String>, namespace: Namespace) -> Self {
        Self {
            url: url.into(),
            tls: TlsOptions::default(),
            namespace,
            partitions: None,
            max_connections: 50,
            lanes: 2,
            timeout: Duration::from_secs(5),
            timeline: TimelineConfig::default(),
            max_conversation_bytes: 32 * 1024 * 1024,
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("redis", &Address::parse(&self.url))
            .field("namespace", &self.namespace)
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

/// Why a service does not start on this Redis.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL makes no sense.
    #[error("the Redis URL {0}")]
    Url(#[from] InvalidAddress),
    /// A node of a cluster cannot be used alone.
    #[error(
        "Redis at {0} is a node of a cluster: write redis-cluster:// (or rediss-cluster://) instead of redis:// in its URL"
    )]
    ClusterNode(String),
    /// There is no cluster.
    #[error(
        "Redis at {0} is not a node of a cluster: write redis:// instead of redis-cluster:// in its URL"
    )]
    NoCluster(String),
    /// It lacks commands that are used.
    #[error("Redis at {address} has version {version}; Redis 6.2 or newer, or Valkey, is needed")]
    TooOld {
        /// Where.
        address: String,
        /// What it says that it is.
        version: String,
    },
    /// It does not answer, or does not let us in.
    #[error("cannot use Redis at {address}: {error}")]
    Redis {
        /// Where it was looked for; no secrets.
        address: String,
        /// What it said.
        error: StoreError,
    },
    /// Redis would throw tasks away under memory pressure.
    #[error(
        "maxmemory-policy of Redis is `{0}`: it would evict tasks that were accepted; set it to `noeviction` \
         (CONFIG SET maxmemory-policy noeviction)"
    )]
    EvictionPolicy(String),
    /// The namespace was created with another number.
    #[error(
        "namespace `{namespace}` has {existing} partition(s), this service is configured for {configured}: the number is \
         fixed when a namespace is created; configure {existing}, or choose another namespace"
    )]
    Partitions {
        /// The namespace.
        namespace: Namespace,
        /// What it was created with.
        existing: u16,
        /// What was asked for.
        configured: u16,
    },
    /// The namespace was written by another version.
    #[error("namespace `{namespace}` has schema {existing}, this version needs {SCHEMA}")]
    Schema {
        /// The namespace.
        namespace: Namespace,
        /// What is stored.
        existing: String,
    },
    /// Out of range.
    #[error("partitions must be 1 to 4096")]
    PartitionRange,
}

impl Store {
    /// Version of the layout in Redis.
    #[must_use]
    pub fn schema(&self) -> &'static str {
        SCHEMA
    }

    /// Connects, checks that the server is fit, and opens (or creates) the namespace.
    ///
    /// # Errors
    /// [`ConnectError`] says what to change.
    pub async fn connect(options: &StoreOptions) -> Result<Self, ConnectError> {
        if options.partitions.is_some_and(|p| p == 0 || p > 4096) {
            return Err(ConnectError::PartitionRange);
        }
        let address = Address::parse(&options.url)?.with_tls(&options.tls)?;
        let cannot_use = |error: StoreError| ConnectError::Redis {
            address: address.to_string(),
            error,
        };
        let dial = Dial {
            lanes: options.lanes,
            most: options.max_connections,
            timeout: options.timeout,
            masters_only: false,
        };
        let home = Keys::new(options.namespace.clone()).meta();
        let link = match Link::open(&address, dial, options.timeout, &home).await {
            Err(StoreError::Refused(why)) if why.contains("cluster support disabled") => {
                return Err(ConnectError::NoCluster(address.to_string()));
            }
            opened => Arc::new(opened.map_err(cannot_use)?),
        };
        check_server(&link, &address)
            .await
            .map_err(|e| e.explain(cannot_use))?;
        let opened = open_namespace(&link, &home, options).await;
        let (partitions, keys) = opened.map_err(|e| e.explain(cannot_use))?;
        let bases = (0..partitions)
            .map(|p| keys.base(Partition(p)).into_boxed_str())
            .collect();
        let timeline_arg = options.timeline.script_arg();
        let live = crate::live::Hub::start(Arc::clone(&link));
        Ok(Self(Arc::new(Inner {
            link,
            keys,
            bases,
            enqueues: Groups::new(
                &ENQUEUE,
                [
                    timeline_arg.clone(),
                    options.max_conversation_bytes.to_string(),
                ],
                partitions,
            ),
            finishes: Groups::new(&FINISH, [timeline_arg.clone()], partitions),
            timeline: options.timeline,
            timeline_arg,
            max_conversation_bytes: options.max_conversation_bytes,
            namespace: options.namespace.clone(),
            live,
            accepted: Accepted::default(),
        })))
    }
}

/// A refusal before the address is added to it.
enum Refusal {
    Store(StoreError),
    Unfit(ConnectError),
}

impl Refusal {
    fn explain(self, cannot_use: impl Fn(StoreError) -> ConnectError) -> ConnectError {
        match self {
            Self::Store(error) => cannot_use(error),
            Self::Unfit(refusal) => refusal,
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What the servers say of themselves, each of those that have keys. One that does not let us look is trusted.
async fn check_server(link: &Link, address: &Address) -> Result<(), Refusal> {
    for info in ServerInfo::ask(link).await? {
        if info.clustered && !link.is_cluster() {
            return Err(Refusal::Unfit(ConnectError::ClusterNode(
                address.to_string(),
            )));
        }
        if info.is_older_than(OLDEST) {
            return Err(Refusal::Unfit(ConnectError::TooOld {
                address: address.to_string(),
                version: info.version,
            }));
        }
    }
    check_policy(link).await
}

/// A policy that evicts would lose accepted tasks.
async fn check_policy(link: &Link) -> Result<(), Refusal> {
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg("maxmemory-policy");
    let answers = match link.everywhere(&get).await {
        Err(StoreError::Refused(detail)) => {
            tracing::warn!(
                detail,
                "maxmemory-policy could not be read; it must be noeviction"
            );
            return Ok(());
        }
        answers => answers?,
    };
    for answer in answers {
        let policy = match answer {
            Value::Array(items) => items.into_iter().nth(1).and_then(|v| text(v).ok()),
            Value::Map(pairs) => pairs.into_iter().next().and_then(|(_, v)| text(v).ok()),
            _ => None,
        };
        if let Some(policy) = policy.filter(|policy| policy != "noeviction") {
            return Err(Refusal::Unfit(ConnectError::EvictionPolicy(policy)));
        }
    }
    Ok(())
}

/// Number of partitions, and the names of the keys.
async fn open_namespace(
    link: &Link,
    meta: &str,
    options: &StoreOptions,
) -> Result<(u16, Keys), Refusal> {
    let mut get = redis::cmd("HMGET");
    get.arg(meta).arg("partitions").arg("schema").arg("spread");
    let stored = async || -> Result<[Option<String>; 3], StoreError> {
        let mut reply = Reply::new("namespace", vec![link.command(&get).await?]).array()?;
        Ok([
            reply.text_or_nil()?,
            reply.text_or_nil()?,
            reply.text_or_nil()?,
        ])
    };
    let mut existing = stored().await?;
    if existing[0].is_none() {
        let partitions = options.partitions;
        let cluster = link.is_cluster();
        let partitions = partitions.unwrap_or(if cluster { CLUSTER_PARTITIONS } else { 1 });
        // The number last: it is what says that the namespace is there.
        for (field, value) in [
            ("spread", u16::from(cluster).to_string()),
            ("schema", SCHEMA.to_owned()),
            ("partitions", partitions.to_string()),
        ] {
            let mut set = redis::cmd("HSETNX");
            set.arg(meta).arg(field).arg(value);
            link.command(&set).await?;
        }
        existing = stored().await?;
    }
    let [partitions, schema, spread] = existing;
    let partitions = partitions.unwrap_or_default();
    let partitions: u16 = partitions
        .parse()
        .map_err(|_| StoreError::corrupt("namespace", format!("partitions: {partitions}")))?;
    let namespace = options.namespace.clone();
    if let Some(existing) = schema.filter(|schema| schema != SCHEMA) {
        return Err(Refusal::Unfit(ConnectError::Schema {
            namespace,
            existing,
        }));
    }
    match options.partitions {
        Some(configured) if configured != partitions => {
            Err(Refusal::Unfit(ConnectError::Partitions {
                namespace,
                existing: partitions,
                configured,
            }))
        }
        _ if spread.as_deref() == Some("1") => {
            Ok((partitions, Keys::spread(namespace, partitions)))
        }
        _ => Ok((partitions, Keys::new(namespace))),
    }
}
