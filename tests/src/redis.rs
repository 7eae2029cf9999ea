//! A real Redis server for tests: one per test process, shared, or one of a test's own.
//!
//! The shared one ends with its last user rather than with the process, so that no directory is left behind.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use deadpool_redis::redis::{Client, Connection};
use factorial_local_redis::{Engine, Listen, LocalRedis, Options};

use crate::served::Served;

/// A server. A missing `redis-server` is a failure, never a skip.
pub struct TestRedis {
    url: String,
    server: Mutex<LocalRedis>,
}

static SHARED: Mutex<[Weak<TestRedis>; 2]> = Mutex::new([Weak::new(), Weak::new()]);

impl TestRedis {
    /// The server of this process. Blocks while it starts.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        Self::of_process(Engine::Server, 0)
    }

    /// The in-process engine of this process, for the contract that it shares with the server.
    #[must_use]
    pub fn shared_embedded() -> Arc<Self> {
        Self::of_process(Engine::Embedded, 1)
    }

    fn of_process(engine: Engine, slot: usize) -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared[slot].upgrade() {
            return running;
        }
        // No file: the tests that restart a server have one of their own.
        let config: &[(&str, &str)] = if engine == Engine::Server {
            &[("appendonly", "no")]
        } else {
            &[]
        };
        let started = Arc::new(Self::start(engine, Listen::Unix, config));
        shared[slot] = Arc::downgrade(&started);
        started
    }

    /// A server of a test's own, with settings as name and value, to be stopped, paused or starved. Blocks while it starts.
    #[must_use]
    pub fn private(listen: Listen, config: &[(&str, &str)]) -> Arc<Self> {
        Arc::new(Self::start(Engine::Server, listen, config))
    }

    fn start(engine: Engine, listen: Listen, config: &[(&str, &str)]) -> Self {
        let config = config
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let options = Options {
            engine,
            listen,
            config,
            ..Options::default()
        };
        let server = LocalRedis::start(options).expect("redis starts");
        Self {
            url: server.url(),
            server: Mutex::new(server),
        }
    }

    /// As the `redis` crate takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops, pauses, restarts it. Blocks.
    pub fn control<T>(&self, act: impl FnOnce(&mut LocalRedis) -> T) -> T {
        act(&mut self.server.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connection for looking, and for seeding what no script makes.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let client = Client::open(self.url()).expect("a valid URL");
        client.get_connection().expect("redis answers")
    }
}

impl Served for TestRedis {
    fn url(&self) -> &str {
        &self.url
    }

    fn connections(&self) -> Vec<Connection> {
        vec![self.connection()]
    }
}
