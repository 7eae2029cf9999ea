//! A namespace to seed, one transition at a time, and what it changed in the whole keyspace.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use factorial_core::{
    AgentName, ClaimRequest, Claimed, Commit, CommitOutcome, Enqueued, Held, InputMessage, NewTask,
    NewWait, Partition, Steer, SteerOutcome, Store, StoreError, TaskId, TaskState, TimelineConfig,
    WorkerId,
};
use factorial_tests::{Keyspace, Names, StoreSetup, TestRedis, TestStore, changes, next_call};
use ulid::Ulid;

pub(crate) use crate::seed::{
    approval, asks, call, child_of, completed, failed, failure, message, new_task, owner, reply,
    spawned, steered, turn,
};

/// Of every lease here.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// On what a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// A real server; so many partitions.
    Server(u16),
    /// The in-process engine, one partition.
    Embedded,
}

/// The namespace of one test. All that it does is in one partition, the last; nothing may change in the others.
pub(crate) struct World {
    pub(crate) test: TestStore,
    pub(crate) partition: Partition,
    names: Mutex<Names>,
    ids: Mutex<BTreeMap<String, TaskId>>,
    unique: AtomicU64,
}

impl World {
    pub(crate) async fn new(on: On) -> Self {
        Self::with(on, 1_000_000).await
    }

    pub(crate) async fn with(on: On, max_conversation_bytes: u64) -> Self {
        let start = match on {
            On::Server(_) => TestRedis::shared,
            On::Embedded => TestRedis::shared_embedded,
        };
        let redis = tokio::task::spawn_blocking(start).await.unwrap();
        let partitions = if let On::Server(n) = on { n } else { 1 };
        Self::on(
            StoreSetup {
                redis,
                partitions,
                namespace: None,
            },
            max_conversation_bytes,
        )
        .await
    }

    pub(crate) async fn on(setup: StoreSetup, max_conversation_bytes: u64) -> Self {
        let partition = Partition(setup.partitions - 1);
        let test = TestStore::open(setup, |options| {
            // One bucket for the whole test, so that a table can say what is in it.
            let day = Duration::from_secs(86_400);
            options.timeline = TimelineConfig {
                bucket: day,
                retention: 2 * day,
            };
            options.max_conversation_bytes = max_conversation_bytes;
        })
        .await;
        Self {
            test,
            partition,
            names: Mutex::new(Names::new(partition.0)),
            ids: Mutex::default(),
            unique: AtomicU64::new(1),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.test.store()
    }

    /// A name of a key in the partition, with `NAME`s of tasks replaced: `t:{A}:m`.
    pub(crate) fn key(&self, name: &str) -> String {
        let mut key = format!("{{{}:{}}}:{name}", self.store().namespace(), self.partition);
        for (name, id) in self.ids.lock().unwrap().iter() {
            key = key.replace(&format!("{{{name}}}"), id.as_str());
        }
        key
    }

    /// A command on a key of the partition; `key` as in [`World::key`].
    pub(crate) fn raw<T: deadpool_redis::redis::FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        args: &[&str],
    ) -> T {
        let key = self.key(key);
        let ids = self.ids.lock().unwrap();
        let args = args.iter().map(|a| ids.get(*a).map_or(*a, TaskId::as_str));
        let all: Vec<&str> = [command, &key].into_iter().chain(args).collect();
        self.test.raw(&all)
    }

    /// The id of a task by its name.
    pub(crate) fn id(&self, name: &str) -> TaskId {
        self.ids.lock().unwrap()[name].clone()
    }

    /// A new name. Ids grow.
    pub(crate) fn name(&self, name: &str) -> TaskId {
        self.name_in(self.partition, name)
    }

    pub(crate) fn name_in(&self, partition: Partition, name: &str) -> TaskId {
        let unique = self.unique.fetch_add(1, Ordering::Relaxed);
        let id = TaskId::new(
            partition,
            Ulid::from_parts(1_700_000_000_000, u128::from(unique)),
        );
        self.names.lock().unwrap().add(name, &id);
        self.ids.lock().unwrap().insert(name.to_owned(), id.clone());
        id
    }

    /// Gives an id that was made elsewhere a name.
    pub(crate) fn known(&self, name: &str, id: &TaskId) {
        self.names.lock().unwrap().add(name, id);
        self.ids.lock().unwrap().insert(name.to_owned(), id.clone());
    }

    /// A task of agent `a` and owner `o`, not yet accepted.
    pub(crate) fn task(&self, name: &str) -> NewTask {
        new_task(self.name(name))
    }

    pub(crate) async fn enqueue(&self, name: &str) -> TaskId {
        self.enqueue_with(name, |_| {}).await
    }

    pub(crate) async fn enqueue_with(
        &self,
        name: &str,
        adjust: impl FnOnce(&mut NewTask),
    ) -> TaskId {
        let mut task = self.task(name);
        adjust(&mut task);
        let outcome = self.store().enqueue(&task).await.unwrap();
        assert!(matches!(outcome, Enqueued::Accepted(..)), "{outcome:?}");
        task.id
    }

    /// What enqueueing gives; the time, which differs from run to run, as 0.
    pub(crate) async fn accept(&self, task: &NewTask) -> Result<Enqueued, StoreError> {
        Ok(match self.store().enqueue(task).await? {
            Enqueued::Accepted(state, _) => Enqueued::Accepted(state, 0),
            other => other,
        })
    }

    pub(crate) async fn claim(&self, most: usize) -> Vec<Claimed> {
        self.claim_as("w1", "a", most).await
    }

    pub(crate) async fn claim_as(&self, worker: &str, agent: &str, most: usize) -> Vec<Claimed> {
        self.call_claim(next_call(), worker, agent, most).await
    }

    pub(crate) async fn call_claim(
        &self,
        number: u64,
        worker: &str,
        agent: &str,
        most: usize,
    ) -> Vec<Claimed> {
        let (worker, agent) = (
            worker.parse::<WorkerId>().unwrap(),
            agent.parse::<AgentName>().unwrap(),
        );
        let partition = self.partition;
        let request = ClaimRequest {
            partition,
            worker: &worker,
            agent: &agent,
            most,
            lease: LEASE,
            number,
        };
        self.store().claim(request).await.unwrap()
    }

    /// The first commit of a held task: a reply that waits for these.
    pub(crate) async fn await_all(&self, held: &Held, waits: Vec<NewWait>) {
        let commit = Commit {
            waits,
            ..turn(1, 1, 1)
        };
        let outcome = self.store().commit(held, &commit, false, LEASE).await;
        assert_eq!(outcome.unwrap(), CommitOutcome::Committed(vec![]));
    }

    /// Names of what was claimed, in order.
    pub(crate) async fn claim_names(&self, most: usize) -> Vec<String> {
        let claimed = self.claim(most).await;
        claimed.iter().map(|c| self.name_of(&c.held.id)).collect()
    }

    pub(crate) fn name_of(&self, id: &TaskId) -> String {
        let ids = self.ids.lock().unwrap();
        ids.iter()
            .find(|(_, i)| *i == id)
            .map(|(name, _)| name.clone())
            .unwrap()
    }

    /// A task that is held by worker `w1`.
    pub(crate) async fn held(&self, name: &str) -> Held {
        self.enqueue(name).await;
        let mut claimed = self.claim(1).await;
        assert_eq!(claimed.len(), 1);
        let claimed = claimed.remove(0);
        assert_eq!(claimed.held.id, self.id(name));
        claimed.held
    }

    /// Lets the lease of a task expire.
    pub(crate) fn expire_lease(&self, name: &str) {
        let changed: i64 = self.raw("ZADD", "lease", &["XX", "CH", "1", name]);
        assert_eq!(changed, 1);
    }

    pub(crate) async fn steer(&self, id: &TaskId, client_id: &str, texts: &[&str]) -> SteerOutcome {
        let messages: Vec<InputMessage> = texts.iter().map(|t| message(t)).collect();
        let steer = Steer {
            messages: &messages,
            interrupt: false,
            client_id,
        };
        self.store().steer(id, &steer).await.unwrap()
    }

    pub(crate) async fn state(&self, name: &str) -> Option<TaskState> {
        self.store()
            .task(&self.id(name))
            .await
            .unwrap()
            .map(|t| t.state)
    }

    pub(crate) fn snapshot(&self) -> Keyspace {
        self.test.snapshot()
    }

    /// Runs one transition: its outcome, and what it changed.
    pub(crate) async fn changes<T>(&self, transition: impl Future<Output = T>) -> (T, String) {
        let before = self.snapshot();
        let outcome = transition.await;
        let after = self.snapshot();
        (
            outcome,
            changes(&before, &after, &self.names.lock().unwrap()),
        )
    }

    /// Runs one transition and compares its outcome and what it changed. The lines of `expected` may be indented.
    #[track_caller]
    pub(crate) fn step<T, E>(
        &self,
        transition: impl Future<Output = Result<T, E>>,
        outcome: T,
        expected: &str,
    ) -> impl Future<Output = ()>
    where
        T: PartialEq + Debug,
        E: Debug,
    {
        let caller = std::panic::Location::caller();
        async move {
            let (real, changed) = self.changes(transition).await;
            assert_eq!(real.unwrap(), outcome, "outcome at {caller}");
            let lines: Vec<&str> = expected
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .collect();
            let expected = lines.join("\n");
            assert!(
                expected == changed.trim_end(),
                "at {caller}\nexpected\n{expected}\n\nchanged\n{changed}"
            );
        }
    }

    /// Runs one transition that must be refused with nothing written.
    #[track_caller]
    pub(crate) fn refused<T, E>(
        &self,
        transition: impl Future<Output = Result<T, E>>,
        outcome: T,
    ) -> impl Future<Output = ()>
    where
        T: PartialEq + Debug,
        E: Debug,
    {
        self.step(transition, outcome, "")
    }
}
