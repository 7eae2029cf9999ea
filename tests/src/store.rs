//! A `Store` of a test's own: random namespace, a connection beside it for looking, and the invariants checked at the end.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use deadpool_redis::redis::{self, Connection};
use factorial_core::{Namespace, Store, StoreOptions};

use crate::{
    invariants::{self, Violation},
    keyspace::{Keyspace, snapshot},
    redis::TestRedis,
};

/// How a [`TestStore`] is made.
#[derive(Clone)]
pub struct StoreSetup {
    /// On which server.
    pub redis: Arc<TestRedis>,
    /// Number of partitions.
    pub partitions: u16,
    /// The namespace; a random one if none.
    pub namespace: Option<Namespace>,
}

/// A namespace of a test's own. Dropping it checks the invariants and removes its keys.
pub struct TestStore {
    store: Store,
    options: StoreOptions,
    redis: Arc<TestRedis>,
    raw: Mutex<Connection>,
}

impl TestStore {
    /// Opens a namespace on the shared server.
    pub async fn new(partitions: u16) -> Self {
        let redis = tokio::task::spawn_blocking(TestRedis::shared)
            .await
            .expect("redis starts");
        Self::open(
            StoreSetup {
                redis,
                partitions,
                namespace: None,
            },
            |_| {},
        )
        .await
    }

    /// Opens a namespace; `adjust` may change the options before.
    pub async fn open(setup: StoreSetup, adjust: impl FnOnce(&mut StoreOptions)) -> Self {
        let StoreSetup {
            redis,
            partitions,
            namespace,
        } = setup;
        let namespace = namespace.unwrap_or_else(random_namespace);
        let mut options = StoreOptions::new(redis.url(), namespace);
        options.partitions = Some(partitions);
        adjust(&mut options);
        let store = Store::connect(&options).await.expect("the namespace opens");
        let raw = Mutex::new(redis.connection());
        Self {
            store,
            options,
            redis,
            raw,
        }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How it was opened: for services that open it too.
    #[must_use]
    pub fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// The server that it is on.
    #[must_use]
    pub fn redis(&self) -> &Arc<TestRedis> {
        &self.redis
    }

    /// Runs a command beside the store. Blocks for its round trip.
    pub fn raw<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut cmd = redis::cmd(command[0]);
        for arg in &command[1..] {
            cmd.arg(*arg);
        }
        self.with_raw(|raw| cmd.query(raw))
            .unwrap_or_else(|e| panic!("{command:?}: {e}"))
    }

    fn with_raw<T>(&self, run: impl FnOnce(&mut Connection) -> T) -> T {
        run(&mut self.raw.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The whole keyspace of the namespace. Blocks.
    #[must_use]
    pub fn snapshot(&self) -> Keyspace {
        self.with_raw(|raw| snapshot(raw, self.store.namespace()))
    }

    /// What does not hold now; the system must be quiet. Blocks.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.with_raw(|raw| invariants::check(std::slice::from_mut(raw), self.store.namespace()))
    }

    fn remove(&self, keyspace: &Keyspace) {
        let names: Vec<&String> = keyspace.keys.keys().collect();
        self.with_raw(|raw| {
            for chunk in names.chunks(500) {
                // A server that the test has stopped has nothing to remove.
                let _ = redis::cmd("UNLINK").arg(chunk).query::<i64>(raw);
            }
        });
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        // A failed test has said what is wrong; a second panic would hide it.
        if thread::panicking() {
            return;
        }
        let keyspace = self.snapshot();
        let violations = invariants::check_keyspace(&keyspace);
        if violations.is_empty() {
            return self.remove(&keyspace);
        }
        let mut text = String::new();
        for violation in &violations {
            let _ = writeln!(text, "{violation}");
        }
        panic!("invariants do not hold:\n{text}\nin\n{keyspace}");
    }
}

/// `t` and 16 random hexadecimal digits.
fn random_namespace() -> Namespace {
    Namespace::new(format!("t{:016x}", rand::random::<u64>())).expect("a valid name")
}
