//! The connections of one process to one Redis, whatever that is made of.
//!
//! A call goes to the server that has the slot of its key. Where there is more than one server, it follows `MOVED` and
//! `ASK`, and waits out `TRYAGAIN`, in the time that it has; everything else that shows that the servers are not what the
//! map says has a new map looked for, and is left to the caller, whose call can be repeated.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use deadpool_redis::redis::{self, Cmd, Pipeline, RedisError, ServerError, Value, aio::PubSub};
use futures::future::{join_all, try_join_all};
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{Instant, sleep, timeout, timeout_at},
};

use crate::{
    address::{Address, Kind},
    error::{StoreError, UnavailableReason},
    find::Finder,
    map::Map,
    node::{Dial, Node},
    slots::{slot, slot_of},
};

/// Other servers that a call is sent to by those that it asks: a master that has failed over can point to one that has not
/// learned of it yet.
const MOST_HOPS: usize = 4;
/// Before a slot that is on its way between two servers is tried again, and for how long.
const TRY_AGAIN: Duration = Duration::from_millis(20);
const TRY_FOR: Duration = Duration::from_millis(500);
/// How long one server may take to accept a subscription.
const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(2);

/// The connections of one process to one Redis.
pub(crate) struct Link {
    shared: Arc<Shared>,
    timeout: Duration,
    /// Where what has no key goes.
    home: u16,
}

struct Shared {
    map: ArcSwap<Map>,
    /// `None` when the one server that there is never changes.
    finder: Option<Finder>,
    /// One at a time looks for them.
    finding: AsyncMutex<()>,
    /// The master of Sentinels has failed, so they are asked before it is called again: a master that comes back may have been
    /// replaced meanwhile, without knowing it yet.
    in_doubt: AtomicBool,
    /// Servers that are not in the map yet.
    strangers: Mutex<Vec<Arc<Node>>>,
}

impl Link {
    /// Finds the servers; one alone is not asked. What has no key goes where `home` is.
    ///
    /// # Errors
    /// When the address cannot be used, or no server says who serves.
    pub(crate) async fn open(
        address: &Address,
        dial: Dial,
        timeout: Duration,
        home: &str,
    ) -> Result<Self, StoreError> {
        let (map, finder) = match (&address.kind, address.servers.as_slice()) {
            (Kind::Single, [server, ..]) => (
                Map::single(Arc::new(Node::new(server.clone(), dial)?)),
                None,
            ),
            _ => {
                let finder = Finder::new(address, dial)?;
                (finder.find(None, &[]).await?, Some(finder))
            }
        };
        let shared = Shared {
            map: ArcSwap::from_pointee(map),
            finder,
            finding: AsyncMutex::new(()),
            in_doubt: AtomicBool::new(false),
            strangers: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
            timeout,
            home: slot(home.as_bytes()),
        })
    }

    /// How long a call may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether keys are spread over servers by their slots.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(&self.shared.finder, Some(Finder::Cluster(_)))
    }

    /// The server that has a key.
    pub(crate) fn node_of(&self, key: &str) -> Result<Arc<Node>, StoreError> {
        self.node(slot(key.as_bytes()))
    }

    fn node(&self, slot: u16) -> Result<Arc<Node>, StoreError> {
        let certain = !self.shared.in_doubt.load(Ordering::Acquire);
        let found = certain.then(|| self.shared.map.load().node(slot).cloned());
        found.flatten().ok_or_else(|| {
            self.look_again();
            let what = format!("no server is known to have slot {slot}");
            StoreError::unavailable(UnavailableReason::NotReady, what)
        })
    }

    /// The one server that there is; the Sentinels are asked if there is doubt.
    async fn only(&self, deadline: Instant) -> Result<Arc<Node>, StoreError> {
        if let Some(finder) = &self.shared.finder
            && self.shared.in_doubt.load(Ordering::Acquire)
        {
            let asked = async {
                let _one_at_a_time = self.shared.finding.lock().await;
                if self.shared.in_doubt.load(Ordering::Acquire) {
                    self.shared.find(finder, None).await?;
                }
                Ok::<_, StoreError>(())
            };
            let asked = Box::pin(timeout_at(deadline, asked)).await;
            asked.map_err(|_| StoreError::silent("the Sentinels"))??;
        }
        self.node(self.home)
    }

    /// Another connection to a server has fallen silent: the shared ones may have as well.
    pub(crate) fn suspect(&self, node: &Node) {
        node.suspect();
        self.look_again();
    }

    /// Another connection showed that the servers may have changed.
    pub(crate) fn look_again(&self) {
        self.shared.find_soon(None);
    }

    /// One command.
    pub(crate) async fn command(&self, cmd: &Cmd) -> Result<Value, StoreError> {
        let deadline = Instant::now() + self.timeout;
        if self.is_cluster() {
            let slot = slot_of(cmd).unwrap_or(self.home);
            // In a place of its own: a call to a single server must not carry it along.
            return Box::pin(self.routed(cmd, slot, deadline)).await;
        }
        let node = self.only(deadline).await?;
        let reply = node.command(cmd, deadline).await;
        if self.shared.finder.is_some() {
            self.shared.heed(&reply);
        }
        reply?.extract_error().map_err(Into::into)
    }

    /// One command, to one server whatever its key.
    pub(crate) async fn command_at(&self, node: &Node, cmd: &Cmd) -> Result<Value, StoreError> {
        let reply = node.command(cmd, Instant::now() + self.timeout).await?;
        reply.extract_error().map_err(Into::into)
    }

    /// One command, to every server that has keys.
    pub(crate) async fn everywhere(&self, cmd: &Cmd) -> Result<Vec<Value>, StoreError> {
        let map = self.shared.map.load_full();
        try_join_all(map.nodes().iter().map(|node| self.command_at(node, cmd))).await
    }

    /// Several commands in one round trip, not atomic. Fails as a whole.
    pub(crate) async fn pipeline(&self, pipe: &Pipeline) -> Result<Vec<Value>, StoreError> {
        if pipe.is_empty() {
            return Ok(Vec::new());
        }
        let deadline = Instant::now() + self.timeout;
        let replies = if self.is_cluster() {
            Box::pin(self.scattered(pipe, deadline)).await?
        } else {
            let node = self.only(deadline).await?;
            let replies = node.pipeline(pipe, 0, deadline).await;
            if replies.is_err() {
                self.shared.doubt();
            }
            replies?
        };
        replies
            .into_iter()
            .map(|v| v.extract_error().map_err(StoreError::from))
            .collect()
    }

    /// The parts of a pipeline to the servers of their keys, at the same time.
    async fn scattered(
        &self,
        pipe: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<Value>, StoreError> {
        let mut parts: Vec<(Arc<Node>, Pipeline, Vec<usize>)> = Vec::new();
        let commands: Vec<(&Cmd, u16)> = pipe
            .cmd_iter()
            .map(|cmd| (cmd, slot_of(cmd).unwrap_or(self.home)))
            .collect();
        for (i, (cmd, slot)) in commands.iter().enumerate() {
            let node = self.node(*slot)?;
            let known = parts.iter().position(|(n, ..)| Arc::ptr_eq(n, &node));
            let at = known.unwrap_or_else(|| {
                parts.push((node, Pipeline::new(), Vec::new()));
                parts.len() - 1
            });
            if let Some((_, part, places)) = parts.get_mut(at) {
                part.add_command((*cmd).clone());
                places.push(i);
            }
        }
        let calls = parts.into_iter().map(|(node, part, places)| async move {
            let replies = node.pipeline(&part, 0, deadline).await;
            if replies.is_err() {
                self.shared.find_soon(None);
            }
            Ok::<_, StoreError>(places.into_iter().zip(replies?).collect::<Vec<_>>())
        });
        let mut replies: Vec<(usize, Value)> =
            try_join_all(calls).await?.into_iter().flatten().collect();
        replies.sort_unstable_by_key(|(i, _)| *i);
        let settled = replies.into_iter().zip(commands);
        let settled = settled.map(|((_, reply), (cmd, slot))| async move {
            match reply {
                // On its own it can go elsewhere.
                Value::ServerError(e) if redirects(&e) => self.routed(cmd, slot, deadline).await,
                reply => Ok(reply),
            }
        });
        join_all(settled).await.into_iter().collect()
    }

    /// To the server of a slot, and on to where that one says.
    async fn routed(&self, cmd: &Cmd, slot: u16, deadline: Instant) -> Result<Value, StoreError> {
        let mut node = self.node(slot)?;
        let mut asked_to = false;
        let mut hops = 0;
        let patience = deadline.min(Instant::now() + TRY_FOR);
        loop {
            let reply = if asked_to {
                asking(&node, cmd, deadline).await
            } else {
                node.command(cmd, deadline).await
            };
            self.shared.heed(&reply);
            let error = match reply? {
                Value::ServerError(error) => error,
                reply => return reply.extract_error().map_err(Into::into),
            };
            asked_to = error.code() == "ASK";
            let moved = asked_to || error.code() == "MOVED";
            let again = error.code() == "TRYAGAIN" && Instant::now() + TRY_AGAIN < patience;
            if moved && hops < MOST_HOPS {
                hops += 1;
                node = self.shared.pointed_to(RedisError::from(error), &node)?;
                if !asked_to {
                    self.shared.find_soon(Some(&node));
                }
            } else if again {
                sleep(TRY_AGAIN).await;
                hops = 0;
                node = self.node(slot)?;
            } else {
                return Err(RedisError::from(error).into());
            }
        }
    }

    /// A connection that can subscribe. In a cluster any server brings what is published anywhere.
    ///
    /// # Errors
    /// When no server accepts one.
    pub(crate) async fn pubsub(&self) -> Result<(PubSub, Arc<Node>), StoreError> {
        let map = self.shared.map.load_full();
        let home = map.node(self.home);
        let others = map.nodes().iter();
        let candidates = home
            .into_iter()
            .chain(others.filter(|n| !home.is_some_and(|home| Arc::ptr_eq(home, n))));
        let mut result = Err(StoreError::silent("a subscription"));
        for node in candidates {
            match timeout(SUBSCRIBE_WITHIN, node.client().get_async_pubsub()).await {
                Ok(Ok(pubsub)) => return Ok((pubsub, Arc::clone(node))),
                Ok(Err(error)) => result = Err(error.into()),
                Err(_) => {}
            }
        }
        self.shared.find_soon(None);
        result
    }

    /// Whether a server is one of those that there are now. One that was taken out brings nothing more to its subscribers.
    pub(crate) fn has(&self, node: &Arc<Node>) -> bool {
        let map = self.shared.map.load();
        map.nodes().iter().any(|n| Arc::ptr_eq(n, node))
    }
}

/// The server would not have it here.
fn redirects(error: &ServerError) -> bool {
    matches!(error.code(), "MOVED" | "ASK" | "TRYAGAIN")
}

/// One command for a slot that is on its way to this server.
async fn asking(node: &Node, cmd: &Cmd, deadline: Instant) -> Result<Value, StoreError> {
    let mut pipe = redis::pipe();
    pipe.cmd("ASKING");
    pipe.add_command(cmd.clone());
    let mut replies = node.pipeline(&pipe, 1, deadline).await?;
    replies
        .pop()
        .ok_or_else(|| StoreError::corrupt("redirection", "no reply"))
}

impl Shared {
    /// Looks for the servers when a reply shows that they may have changed.
    fn heed(self: &Arc<Self>, reply: &Result<Value, StoreError>) {
        let changed = match reply {
            Ok(Value::ServerError(e)) => matches!(e.code(), "READONLY" | "CLUSTERDOWN"),
            Ok(_) => false,
            Err(e) => e.is_unavailable(),
        };
        if changed {
            self.doubt();
        }
    }

    fn doubt(self: &Arc<Self>) {
        if matches!(self.finder, Some(Finder::Sentinel(_))) {
            self.in_doubt.store(true, Ordering::Release);
        }
        self.find_soon(None);
    }

    /// Looks for the servers, first at `hint`, unless somebody does already.
    fn find_soon(self: &Arc<Self>, hint: Option<&Arc<Node>>) {
        if self.finder.is_none() || self.finding.try_lock().is_err() {
            return;
        }
        let (shared, hint) = (Arc::clone(self), hint.cloned());
        let finding = async move {
            let Ok(_one_at_a_time) = shared.finding.try_lock() else {
                return;
            };
            if let Some(finder) = &shared.finder
                && let Err(error) = shared.find(finder, hint.as_ref()).await
            {
                tracing::debug!(%error, "servers not found");
            }
        };
        // Without a runtime nobody waits either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(finding);
        }
    }

    async fn find(&self, finder: &Finder, hint: Option<&Arc<Node>>) -> Result<(), StoreError> {
        let mut known = self.map.load().nodes().to_vec();
        known.extend(self.strangers().iter().cloned());
        let map = finder.find(hint, &known).await?;
        self.strangers().retain(|n| map.at(n.address()).is_none());
        self.map.store(Arc::new(map));
        self.in_doubt.store(false, Ordering::Release);
        Ok(())
    }

    fn strangers(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Node>>> {
        self.strangers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The server that `MOVED` or `ASK` of another one names.
    fn pointed_to(&self, error: RedisError, by: &Node) -> Result<Arc<Node>, StoreError> {
        let named = error.redirect_node().and_then(|(address, _)| {
            let (host, port) = address.rsplit_once(':')?;
            Some((host.trim_matches(['[', ']']), port.parse().ok()?))
        });
        let (Some(Finder::Cluster(finder)), Some((host, port))) = (&self.finder, named) else {
            return Err(error.into());
        };
        let host = if host.is_empty() { by.host() } else { host };
        let mut strangers = self.strangers();
        let mut known = strangers.clone();
        known.extend(self.map.load().nodes().iter().cloned());
        let node = finder.node(&known, host, port)?;
        if !known.iter().any(|n| Arc::ptr_eq(n, &node)) {
            strangers.push(Arc::clone(&node));
        }
        Ok(node)
    }
}
