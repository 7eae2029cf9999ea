//! Random sequences of operations, each outcome compared with a model in memory, the invariants checked after each sequence,
//! and everybody brought to an end; and every order of a few operations on small trees (`orders.rs`, `scenes.rs`).

mod answers;
mod chores;
mod clients;
mod drain;
mod model;
mod operation;
mod orders;
mod parents;
mod scenes;
mod waits;
mod workers;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use factorial_core::{Held, TaskId, TaskState};
use factorial_tests::{StoreSetup, TestRedis, TestStore};
use model::{Expected, Model};
use operation::{Op, sequence, trees};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};

const AGENTS: [&str; 2] = ["a", "b"];
const OWNERS: [&str; 2] = ["o", "p"];
const MAX_RECOVERIES: u32 = 1;
const ENDS: [TaskState; 3] = [
    TaskState::Completed,
    TaskState::Failed,
    TaskState::Cancelled,
];

/// A worker's view of a task that it held once, perhaps no more.
struct Holder {
    held: Held,
    write: u64,
}

struct Run {
    test: TestStore,
    model: Model,
    holders: Vec<Holder>,
    clients: u64,
    calls: u64,
    /// What has happened, by name: a sequence that never gets there proves nothing.
    seen: BTreeMap<&'static str, u64>,
}

impl Run {
    fn new(test: TestStore) -> Self {
        Self {
            test,
            model: Model::default(),
            holders: Vec::new(),
            clients: 0,
            calls: 0,
            seen: BTreeMap::new(),
        }
    }

    /// A task of those that the operation is about, mostly; any one now and then. `None`: there are none.
    pub(super) fn pick(&self, n: usize, about: impl Fn(&Expected) -> bool) -> Option<usize> {
        let tasks = &self.model.tasks;
        let fitting: Vec<usize> = (0..tasks.len())
            .filter(|i| !tasks[*i].gone && about(&tasks[*i]))
            .collect();
        if n.is_multiple_of(4) || fitting.is_empty() {
            return (!tasks.is_empty()).then(|| n % tasks.len());
        }
        Some(fitting[n % fitting.len()])
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    async fn apply(&mut self, op: Op) {
        match op {
            Op::Enqueue { .. } => self.enqueue(op).await,
            Op::Claim { task, most } => {
                if let Some(i) = self.pick(task, |t| t.state == TaskState::Queued) {
                    let task = &self.model.tasks[i];
                    self.claim(task.id.partition(), task.agent, most).await;
                }
            }
            Op::Recover => self.recover().await,
            Op::Promote => self.promote().await,
            Op::Deadlines => self.deadlines().await,
            Op::ExpireWaits => self.expire_waits().await,
            Op::Cascade => self.cascade().await,
            Op::Expire { end } => self.expire(ENDS[end]).await,
            Op::Reconcile => self.reconcile().await,
            Op::Commit { .. }
            | Op::Finish { .. }
            | Op::Release { .. }
            | Op::BackOff { .. }
            | Op::Renew { .. }
            | Op::Spawn(_)
            | Op::Ask { .. }
            | Op::Take { .. }
            | Op::Park { .. } => {
                self.write(op).await;
            }
            _ => self.request(op).await,
        }
    }

    /// Every record and counter is as the model has it, and the invariants hold.
    async fn compare(&self) {
        self.compare_records().await;
        assert_eq!(self.test.violations(), []);
    }

    async fn compare_records(&self) {
        let store = self.test.store();
        let ids: Vec<TaskId> = self.model.tasks.iter().map(|t| t.id.clone()).collect();
        let records = store.tasks(&ids).await.unwrap();
        for (task, record) in self.model.tasks.iter().zip(records) {
            let Some(record) = record.filter(|_| !task.gone) else {
                assert!(task.gone, "{task:?}");
                continue;
            };
            let real = (
                record.state,
                record.attempts,
                record.retries,
                record.recoveries,
                record.hand_backs,
            );
            assert_eq!(
                real,
                (
                    task.state,
                    task.attempts,
                    task.retries,
                    task.recoveries,
                    task.hand_backs
                ),
                "{task:?}"
            );
            assert_eq!(
                (record.turns, record.steering),
                (task.turns, task.waiting),
                "{task:?}"
            );
            assert_eq!(
                record.total_usage().input,
                10 * u64::from(task.turns),
                "{task:?}"
            );
            let spent = (record.tree.tasks, record.tree.usage.input / 10);
            assert_eq!(
                (record.awaited as usize, spent, record.depth),
                (task.open(), task.tree, task.depth),
                "{task:?}"
            );
            let waits = store.waits(&task.id).await.unwrap();
            let fits = |w: &factorial_core::Wait| task.waits.get(&w.key).is_some_and(|m| m.fits(w));
            assert!(
                waits.len() == task.waits.len() && waits.iter().all(fits),
                "{waits:?}\n{task:?}"
            );
            let entries = store.entries(&task.id, 0, 10_000).await.unwrap();
            assert_eq!(entries.len() as u64, task.entries, "{task:?}");
        }
        let mut expected: BTreeMap<_, u64> = BTreeMap::new();
        for task in self.model.kept() {
            *expected
                .entry((task.agent.parse().unwrap(), task.state))
                .or_default() += 1;
        }
        let mut counts = store.counts().await.unwrap();
        counts.retain(|_, n| *n > 0);
        assert_eq!(counts, expected);
    }
}

fn run(
    redis: &Arc<TestRedis>,
    partitions: u16,
    cases: u32,
    ops: impl Strategy<Value = Vec<Op>>,
) -> BTreeMap<&'static str, u64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let seen: RefCell<BTreeMap<&'static str, u64>> = RefCell::default();
    TestRunner::new(config)
        .run(&ops, |ops| {
            runtime.block_on(async {
                let setup = StoreSetup {
                    redis: Arc::clone(redis),
                    partitions,
                    namespace: None,
                };
                let test = TestStore::open(setup, |_| {}).await;
                let mut run = Run::new(test);
                for op in ops {
                    run.apply(op).await;
                }
                run.compare().await;
                run.drain().await;
                run.reconcile().await;
                run.compare().await;
                let mut all = seen.borrow_mut();
                for (what, times) in &run.seen {
                    *all.entry(*what).or_default() += times;
                }
            });
            Ok(())
        })
        .unwrap();
    seen.into_inner()
}

/// What the trees must have come across, all together.
const SEEN: [&str; 10] = [
    "a child that is retried",
    "a last answer",
    "a park",
    "a spawn without the lease",
    "a tree that is cancelled",
    "an interrupt before the park",
    "another answer",
    "nothing left to wait for",
    "orphans",
    "waits that expire",
];

#[test]
fn any_sequence_in_one_partition() {
    run(&TestRedis::shared(), 1, 40, sequence());
}

#[test]
fn any_sequence_in_four_partitions() {
    run(&TestRedis::shared(), 4, 40, sequence());
}

#[test]
fn any_sequence_on_the_embedded_engine() {
    run(&TestRedis::shared_embedded(), 1, 10, sequence());
}

#[test]
fn any_trees_in_one_partition() {
    let seen = run(&TestRedis::shared(), 1, 50, trees());
    assert!(SEEN.iter().all(|what| seen.contains_key(what)), "{seen:?}");
}

#[test]
fn any_trees_in_four_partitions() {
    run(&TestRedis::shared(), 4, 30, trees());
}

#[test]
fn any_trees_on_the_embedded_engine() {
    run(&TestRedis::shared_embedded(), 1, 6, trees());
}
