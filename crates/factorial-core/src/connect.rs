//! Opening a namespace: connection, suitability of the server, number of partitions.

use std::{sync::Arc, time::Duration};

use deadpool_redis::{
    Manager, Pool,
    redis::{
        self, AsyncConnectionConfig, Client, IntoConnectionInfo as _, Value, io::tcp::TcpSettings,
    },
};

use crate::{
    error::StoreError,
    group::Groups,
    ids::{Namespace, Partition},
    keys::Keys,
    link::Link,
    script::text,
    scripts::{enqueue::ENQUEUE, finish::FINISH},
    store::{Inner, Store},
    timeline::TimelineConfig,
};

/// Version of the layout in Redis.
const SCHEMA: &str = "2";

/// How to reach Redis, and what is expected there.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `redis://…`, `rediss://…` or `redis+unix://…`.
    pub url: String,
    /// Keeps installations apart.
    pub namespace: Namespace,
    /// Partitions: given to a new namespace, compared with an existing one. `None`: take what is there, 1 for a new one.
    pub partitions: Option<u16>,
    /// Most connections of this process.
    pub max_connections: usize,
    /// Shared connections for ordinary calls.
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

/// Why a service does not start on this Redis.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL makes no sense.
    #[error("the Redis URL is not valid: {0}")]
    Url(String),
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
        let url_error = |e: redis::RedisError| ConnectError::Url(e.to_string());
        // A call that is sent while another one is under way must not wait for that one's answer.
        let tcp = TcpSettings::default().set_nodelay(true);
        let address = options
            .url
            .as_str()
            .into_connection_info()
            .map_err(url_error)?;
        let address = address.set_tcp_settings(tcp);
        let client = Client::open(address.clone()).map_err(url_error)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.timeout))
            .set_response_timeout(None);
        let manager = Manager::new_with_config(address, config).map_err(url_error)?;
        let pool = Pool::builder(manager)
            .max_size(options.max_connections.max(options.lanes))
            .build()
            .map_err(|e| ConnectError::Url(e.to_string()))?;
        let link = Arc::new(Link::new(pool, client, options.lanes, options.timeout));
        let keys = Keys::new(options.namespace.clone());

        let address = link.client().get_connection_info().addr().to_string();
        let cannot_use = |error: StoreError| ConnectError::Redis {
            address: address.clone(),
            error,
        };
        check_policy(&link)
            .await
            .map_err(|e| e.explain(cannot_use))?;
        let opened = open_namespace(&link, &keys, options).await;
        let partitions = opened.map_err(|e| e.explain(cannot_use))?;
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

/// A policy that evicts would lose accepted tasks. A server that does not let us look is trusted.
async fn check_policy(link: &Link) -> Result<(), Refusal> {
    link.command(&redis::cmd("PING")).await?;
    let mut get = redis::cmd("CONFIG");
    get.arg("GET").arg("maxmemory-policy");
    let policy = match link.command(&get).await {
        Ok(Value::Array(items)) => items.into_iter().nth(1).and_then(|v| text(v).ok()),
        Ok(Value::Map(pairs)) => pairs.into_iter().next().and_then(|(_, v)| text(v).ok()),
        Ok(_) => None,
        Err(StoreError::Refused(detail)) => {
            tracing::warn!(
                detail,
                "maxmemory-policy could not be read; it must be noeviction"
            );
            None
        }
        Err(e) => return Err(e.into()),
    };
    match policy {
        Some(policy) if policy != "noeviction" => {
            Err(Refusal::Unfit(ConnectError::EvictionPolicy(policy)))
        }
        _ => Ok(()),
    }
}

async fn open_namespace(link: &Link, keys: &Keys, options: &StoreOptions) -> Result<u16, Refusal> {
    let meta = keys.meta();
    let mut pipe = redis::pipe();
    pipe.atomic();
    let mut get = redis::cmd("HMGET");
    get.arg(&meta).arg("partitions").arg("schema");
    let stored = |values: Value| match values {
        Value::Array(items) => items.into_iter().map(|v| text(v).ok()).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let mut existing = stored(link.command(&get).await?);
    if existing.first().is_none_or(Option::is_none) {
        let mut set = redis::cmd("HSETNX");
        set.arg(&meta)
            .arg("partitions")
            .arg(options.partitions.unwrap_or(1));
        link.command(&set).await?;
        let mut set = redis::cmd("HSETNX");
        set.arg(&meta).arg("schema").arg(SCHEMA);
        link.command(&set).await?;
        existing = stored(link.command(&get).await?);
    }
    let mut existing = existing.into_iter();
    let partitions = existing.next().flatten().unwrap_or_default();
    let schema = existing
        .next()
        .flatten()
        .unwrap_or_else(|| SCHEMA.to_owned());
    let partitions: u16 = partitions
        .parse()
        .map_err(|_| StoreError::corrupt("namespace", format!("partitions: {partitions}")))?;
    let namespace = options.namespace.clone();
    if schema != SCHEMA {
        return Err(Refusal::Unfit(ConnectError::Schema {
            namespace,
            existing: schema,
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
        _ => Ok(partitions),
    }
}
