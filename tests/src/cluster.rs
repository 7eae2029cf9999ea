//! A real Redis Cluster for tests: masters with a replica each, that can be killed, and whose slots can be moved.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{self, Client, Connection, RedisResult, Value};
use factorial_local_redis::{Engine, Listen, LocalRedis, Options};

use crate::served::Served;

/// Ports of nodes: the bus of a node is 10,000 above, and both are below those that systems give away by themselves.
const PORTS: RangeInclusive<u16> = 12_000..=21_999;
/// How long the nodes may take to agree.
const AGREE_WITHIN: Duration = Duration::from_secs(30);
/// After that a silent master is replaced, ms.
const NODE_TIMEOUT: &str = "2000";
/// Slots of a cluster.
const SLOTS: usize = 16_384;
/// Keys that are moved at once.
const MOVED_AT_ONCE: usize = 100;

struct Member {
    server: LocalRedis,
    port: u16,
    id: String,
}

/// A cluster. Dropping it ends its servers.
pub struct TestCluster {
    url: String,
    members: Mutex<Vec<Member>>,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Number of the node, from 0; masters first, as they were at the start.
    pub node: usize,
    /// Whether it is a master.
    pub master: bool,
    /// The node that it follows, if it is none.
    pub follows: Option<usize>,
    /// Slots that it serves.
    pub slots: BTreeSet<u16>,
}

fn call<T: redis::FromRedisValue>(raw: &mut Connection, words: &[&str]) -> RedisResult<T> {
    let mut cmd = redis::cmd(words[0]);
    for word in &words[1..] {
        cmd.arg(*word);
    }
    cmd.query(raw)
}

fn connect(port: u16) -> RedisResult<Connection> {
    let client = Client::open(format!("redis://127.0.0.1:{port}"))?;
    let raw = client.get_connection_with_timeout(Duration::from_secs(2))?;
    raw.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(raw)
}

fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + AGREE_WITHIN;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn launch() -> (LocalRedis, u16) {
    let mut last = None;
    for _ in 0..20 {
        let port = rand::random_range(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_err()
            || TcpListener::bind(("127.0.0.1", port + 10_000)).is_err()
        {
            continue;
        }
        let config = [
            ("cluster-enabled", "yes"),
            ("cluster-node-timeout", NODE_TIMEOUT),
            // A part that is down must not take the others along.
            ("cluster-require-full-coverage", "no"),
            ("cluster-replica-validity-factor", "0"),
            ("repl-diskless-sync-delay", "0"),
        ];
        let options = Options {
            engine: Engine::Server,
            listen: Listen::Tcp { port },
            config: config.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..Options::default()
        };
        match LocalRedis::start(options) {
            Ok(server) => return (server, port),
            Err(error) => last = Some(error),
        }
    }
    panic!("no node starts: {last:?}");
}

impl TestCluster {
    /// Starts as many masters, with a replica each, and waits until they agree. Blocks.
    ///
    /// # Panics
    /// When a node does not start, or they do not agree in time.
    #[must_use]
    pub fn start(masters: usize) -> Self {
        let members: Vec<Member> = thread::scope(|scope| {
            let starting: Vec<_> = (0..masters * 2).map(|_| scope.spawn(launch)).collect();
            let started = starting.into_iter().map(|s| s.join().expect("it starts"));
            started
                .map(|(server, port)| {
                    let mut raw = connect(port).expect("it answers");
                    let id = call(&mut raw, &["CLUSTER", "MYID"]).expect("an id");
                    Member { server, port, id }
                })
                .collect()
        });
        let ports: Vec<String> = members
            .iter()
            .map(|m| format!("127.0.0.1:{}", m.port))
            .collect();
        let this = Self {
            url: format!("redis-cluster://{}", ports.join(",")),
            members: Mutex::new(members),
        };
        this.form(masters);
        this
    }

    fn form(&self, masters: usize) {
        let members = self.members();
        let mut raws: Vec<Connection> = members
            .iter()
            .map(|m| connect(m.port).expect("it answers"))
            .collect();
        for (i, raw) in raws.iter_mut().enumerate() {
            let epoch = (i + 1).to_string();
            let _: Value = call(raw, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).expect("an epoch");
        }
        for member in &members[1..] {
            let port = member.port.to_string();
            let _: Value =
                call(&mut raws[0], &["CLUSTER", "MEET", "127.0.0.1", &port]).expect("met");
        }
        for (i, raw) in raws.iter_mut().take(masters).enumerate() {
            let slots = (i * SLOTS).div_ceil(masters)..((i + 1) * SLOTS).div_ceil(masters);
            let mut add = redis::cmd("CLUSTER");
            add.arg("ADDSLOTS").arg(slots.collect::<Vec<_>>());
            let _: Value = add.query(raw).expect("slots");
        }
        for (i, raw) in raws.iter_mut().enumerate().skip(masters) {
            let master = members[i - masters].id.clone();
            until("a replica knows its master", || {
                call::<Value>(raw, &["CLUSTER", "REPLICATE", &master]).ok()
            });
        }
        for (i, raw) in raws.iter_mut().enumerate() {
            until("the nodes agree", || {
                let info: String = call(raw, &["CLUSTER", "INFO"]).ok()?;
                let known = format!("cluster_known_nodes:{}", masters * 2);
                (info.contains("cluster_state:ok") && info.contains(&known)).then_some(())
            });
            let role = until("the replicas follow", || {
                let role: Vec<Value> = call(raw, &["ROLE"]).ok()?;
                let linked = role.contains(&Value::BulkString(b"connected".to_vec()));
                (i < masters || linked).then_some(role)
            });
            drop(role);
        }
        until("all know who follows whom", || {
            raws.iter_mut()
                .all(|raw| {
                    let nodes: String = call(raw, &["CLUSTER", "NODES"]).unwrap_or_default();
                    nodes.matches("slave").count() == masters
                })
                .then_some(())
        });
    }

    fn members(&self) -> MutexGuard<'_, Vec<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops, pauses, kills, restarts a node. Blocks.
    pub fn control<T>(&self, node: usize, act: impl FnOnce(&mut LocalRedis) -> T) -> T {
        act(&mut self.members()[node].server)
    }

    fn port(&self, node: usize) -> u16 {
        self.members()[node].port
    }

    fn id(&self, node: usize) -> String {
        self.members()[node].id.clone()
    }

    /// A connection to a node. Blocks.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn connection(&self, node: usize) -> Connection {
        connect(self.port(node)).expect("the node answers")
    }

    /// What each node that answers says of itself. Blocks.
    #[must_use]
    pub fn view(&self) -> Vec<NodeView> {
        let members = self.members();
        let members = members.iter().map(|m| (m.port, m.id.clone()));
        let (ports, ids): (Vec<u16>, Vec<String>) = members.unzip();
        let mut views = Vec::new();
        for (node, port) in ports.into_iter().enumerate() {
            let Ok(mut raw) = connect(port) else { continue };
            let nodes: String = call(&mut raw, &["CLUSTER", "NODES"]).unwrap_or_default();
            let Some(own) = nodes.lines().find(|line| line.contains("myself")) else {
                continue;
            };
            let words: Vec<&str> = own.split(' ').collect();
            let ranges = words.iter().skip(8).filter(|w| !w.starts_with('['));
            let slots = ranges
                .flat_map(|range| {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    let number = |n: &str| n.parse::<u16>().expect("a slot");
                    number(first)..=number(last)
                })
                .collect();
            views.push(NodeView {
                node,
                master: words[2].contains("master"),
                follows: ids.iter().position(|id| id == words[3]),
                slots,
            });
        }
        views
    }

    /// The node that serves a slot, by its own word. Blocks.
    #[must_use]
    pub fn owner(&self, slot: u16) -> Option<usize> {
        let owner = |view: &NodeView| view.master && view.slots.contains(&slot);
        self.view().iter().find(|view| owner(view)).map(|v| v.node)
    }

    /// The slot of a key. Blocks.
    ///
    /// # Panics
    /// When no node answers.
    #[must_use]
    pub fn slot(&self, key: &str) -> u16 {
        let first = self.view().first().expect("a node").node;
        call(&mut self.connection(first), &["CLUSTER", "KEYSLOT", key]).expect("a slot")
    }

    /// Moves a slot with its keys from one master to another, key by key. `half_way` is called when as many keys as there
    /// were at the start, or half of them, have gone. Blocks.
    ///
    /// # Panics
    /// When a node refuses.
    pub fn move_slot(&self, slot: u16, to: usize, half_way: impl FnOnce()) {
        let from = self.owner(slot).expect("somebody has the slot");
        assert_ne!(from, to, "it is there already");
        let (mut source, mut target) = (self.connection(from), self.connection(to));
        let (source_id, target_id, port) = (self.id(from), self.id(to), self.port(to).to_string());
        let slot = slot.to_string();
        let set = |raw: &mut Connection, state: &str, id: &str| {
            call::<Value>(raw, &["CLUSTER", "SETSLOT", &slot, state, id])
        };
        set(&mut target, "IMPORTING", &source_id).expect("the target takes it");
        set(&mut source, "MIGRATING", &target_id).expect("the source gives it");
        let count = call(&mut source, &["CLUSTER", "COUNTKEYSINSLOT", &slot]);
        let count: usize = count.expect("a count");
        let (mut moved, mut half_way) = (0, Some(half_way));
        loop {
            let at_once = MOVED_AT_ONCE.min(count / 2 + 1).to_string();
            let keys = call(&mut source, &["CLUSTER", "GETKEYSINSLOT", &slot, &at_once]);
            let keys: Vec<String> = keys.expect("keys");
            if !keys.is_empty() {
                let mut migrate = redis::cmd("MIGRATE");
                migrate
                    .arg("127.0.0.1")
                    .arg(&port)
                    .arg("")
                    .arg(0)
                    .arg(5_000);
                migrate.arg("KEYS").arg(&keys);
                let _: Value = migrate.query(&mut source).expect("keys go over");
                moved += keys.len();
            }
            if (keys.is_empty() || moved * 2 >= count)
                && let Some(half_way) = half_way.take()
            {
                half_way();
            }
            if keys.is_empty() {
                break;
            }
        }
        set(&mut target, "NODE", &target_id).expect("the target has it");
        set(&mut source, "NODE", &target_id).expect("the source knows");
        for view in self.view().iter().filter(|v| v.master) {
            // Others learn it anyway, later.
            let _ = set(&mut self.connection(view.node), "NODE", &target_id);
        }
    }

    /// Has the replica of a master receive nothing more than what the master has at the call, though it may still take over:
    /// what the master accepts from now on is what asynchronous replication can lose. Blocks.
    ///
    /// # Panics
    /// When it has no replica, or that does not answer.
    pub fn cut_off_replica_of(&self, master: usize) {
        let views = self.view();
        let replica = views.iter().find(|v| v.follows == Some(master));
        let mut raw = self.connection(replica.expect("a replica").node);
        let wanted = replication_offset(&mut self.connection(master), "master_repl_offset");
        until("the replica to have all so far", || {
            (replication_offset(&mut raw, "slave_repl_offset") >= wanted).then_some(())
        });
        for (name, value) in [("masteruser", "nobody"), ("masterauth", "nothing")] {
            let _: Value = call(&mut raw, &["CONFIG", "SET", name, value]).expect("it is set");
        }
        let _: Value = call(&mut raw, &["CLIENT", "KILL", "TYPE", "master"]).expect("it is cut");
    }

    /// Waits until another node than `old` serves a slot; which. Blocks.
    ///
    /// # Panics
    /// When none does in time.
    #[must_use]
    pub fn replaced(&self, slot: u16, old: usize) -> usize {
        until("another master", || self.owner(slot).filter(|n| *n != old))
    }
}

/// How many bytes of the replication stream a server has, by its own word. Blocks.
fn replication_offset(raw: &mut Connection, field: &str) -> u64 {
    let info: String = call(raw, &["INFO", "replication"]).expect("it answers");
    let line = info.lines().find_map(|line| line.strip_prefix(field));
    let offset = line.and_then(|rest| rest.strip_prefix(':')?.trim().parse().ok());
    offset.unwrap_or_else(|| panic!("no {field} in {info}"))
}

impl Served for TestCluster {
    fn url(&self) -> &str {
        &self.url
    }

    fn connections(&self) -> Vec<Connection> {
        let masters = self
            .view()
            .into_iter()
            .filter(|v| v.master && !v.slots.is_empty());
        masters.map(|v| self.connection(v.node)).collect()
    }
}
