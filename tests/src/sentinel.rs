//! A master with a replica for tests, and Sentinels that watch them.

use std::{
    fmt::Write as _,
    fs,
    net::TcpListener,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use deadpool_redis::redis::{self, Client, Connection, RedisResult, Value};
use factorial_local_redis::{Engine, Kind, Listen, LocalRedis, Options};
use tempfile::TempDir;

use crate::{served::Served, system::Process};

/// How long anything may take here.
const SOON: Duration = Duration::from_secs(30);
/// The name of the master.
const MASTER: &str = "mymaster";
const SENTINELS: usize = 3;

/// Two servers and their Sentinels. Dropping it ends them.
pub struct TestSentinels {
    url: String,
    sentinels: Vec<(Process, u16)>,
    servers: Mutex<Vec<LocalRedis>>,
    // After the processes that use it.
    _dir: TempDir,
}

fn connect(url: &str) -> RedisResult<Connection> {
    let raw = Client::open(url)?.get_connection_with_timeout(Duration::from_secs(2))?;
    raw.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(raw)
}

fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + SOON;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn words(words: &[&str]) -> redis::Cmd {
    let mut cmd = redis::cmd(words[0]);
    for word in &words[1..] {
        cmd.arg(*word);
    }
    cmd
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn port_of(url: &str) -> &str {
    url.rsplit(':').next().expect("a port")
}

impl TestSentinels {
    /// Starts them, and waits until the Sentinels know one another and the replica. Blocks.
    ///
    /// # Panics
    /// When one does not start, or they do not find each other in time.
    #[must_use]
    pub fn start() -> Self {
        let servers: Vec<LocalRedis> = (0..2)
            .map(|_| {
                let config = [("repl-diskless-sync-delay", "0")];
                let options = Options {
                    engine: Engine::Server,
                    listen: Listen::Tcp { port: 0 },
                    config: config.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                    ..Options::default()
                };
                LocalRedis::start(options).expect("redis starts")
            })
            .collect();
        let master = servers[0].url();
        let master = port_of(&master);
        let mut replica = connect(&servers[1].url()).expect("it answers");
        let follow = words(&["REPLICAOF", "127.0.0.1", master]);
        let _: Value = follow.query(&mut replica).expect("it follows");
        let Kind::Server { program } = servers[0].kind() else {
            panic!("a real server was asked for");
        };
        let dir = tempfile::tempdir().expect("a directory");
        let sentinels: Vec<(Process, u16)> = (0..SENTINELS)
            .map(|i| {
                let (port, name) = (free_port(), format!("sentinel-{i}"));
                let mut config = format!("port {port}\nbind 127.0.0.1\ndir {}\n", dir.path().display());
                let _ = write!(
                    config,
                    "sentinel monitor {MASTER} 127.0.0.1 {master} 2\nsentinel down-after-milliseconds {MASTER} 1000\n\
                     sentinel failover-timeout {MASTER} 5000\n"
                );
                let file = dir.path().join(format!("{name}.conf"));
                fs::write(&file, config).expect("a configuration");
                let args = [file.display().to_string(), "--sentinel".to_owned()];
                (Process::start_program(&program, &name, &args, &[], dir.path()), port)
            })
            .collect();
        let addresses: Vec<String> = sentinels
            .iter()
            .map(|(_, port)| format!("127.0.0.1:{port}"))
            .collect();
        let this = Self {
            url: format!("redis-sentinel://{}/{MASTER}", addresses.join(",")),
            sentinels,
            servers: Mutex::new(servers),
            _dir: dir,
        };
        for i in 0..SENTINELS {
            until("the Sentinels find each other", || {
                let state: redis::RedisResult<std::collections::HashMap<String, String>> =
                    words(&["SENTINEL", "MASTER", MASTER]).query(&mut this.sentinel(i)?);
                let state = state.ok()?;
                let number = |name: &str| state.get(name)?.parse::<usize>().ok();
                let found = number("num-slaves") == Some(1)
                    && number("num-other-sentinels") == Some(SENTINELS - 1);
                found.then_some(())
            });
        }
        this
    }

    fn sentinel(&self, i: usize) -> Option<Connection> {
        connect(&format!("redis://127.0.0.1:{}", self.sentinels[i].1)).ok()
    }

    fn servers(&self) -> MutexGuard<'_, Vec<LocalRedis>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which server says that it is the master and is named by a Sentinel. Blocks.
    ///
    /// # Panics
    /// When there is none in time.
    #[must_use]
    pub fn master(&self) -> usize {
        until("a master", || {
            let named: Vec<String> = words(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER])
                .query(&mut self.sentinel(0)?)
                .ok()?;
            let urls: Vec<String> = self.servers().iter().map(LocalRedis::url).collect();
            let named = urls.iter().position(|url| port_of(url) == named[1])?;
            let role: Vec<Value> = words(&["ROLE"])
                .query(&mut connect(&urls[named]).ok()?)
                .ok()?;
            (role.first() == Some(&Value::BulkString(b"master".to_vec()))).then_some(named)
        })
    }

    /// Waits until another server than `old` is the master. Blocks.
    ///
    /// # Panics
    /// When it is not in time.
    #[must_use]
    pub fn replaced(&self, old: usize) -> usize {
        until("another master", || {
            Some(self.master()).filter(|now| *now != old)
        })
    }

    /// Has the Sentinels put the replica in the master's place, which lives on. Blocks.
    ///
    /// # Panics
    /// When they refuse for long.
    pub fn fail_over(&self) {
        until("a fail-over", || {
            let fail_over = words(&["SENTINEL", "FAILOVER", MASTER]);
            fail_over.query::<Value>(&mut self.sentinel(0)?).ok()
        });
    }

    /// Stops, kills, restarts a server. Blocks.
    pub fn control<T>(&self, server: usize, act: impl FnOnce(&mut LocalRedis) -> T) -> T {
        act(&mut self.servers()[server])
    }
}

impl Served for TestSentinels {
    fn url(&self) -> &str {
        &self.url
    }

    fn connections(&self) -> Vec<Connection> {
        let master = self.master();
        let url = self.servers()[master].url();
        vec![connect(&url).expect("the master answers")]
    }
}
