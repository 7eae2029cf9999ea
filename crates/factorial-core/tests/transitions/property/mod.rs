//! Random sequences of operations, each outcome compared with a model in memory, the invariants checked after each sequence.

mod chores;
mod clients;
mod model;
mod operation;
mod workers;

use std::{collections::BTreeMap, sync::Arc};

use factorial_core::{Held, TaskId, TaskState};
use factorial_tests::{StoreSetup, TestRedis, TestStore};
use model::{Expected, Model};
use operation::{Op, any_op};
use proptest::test_runner::{Config, TestRunner};

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
}

impl Run {
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
            Op::Expire { end } => self.expire(ENDS[end]).await,
            Op::Reconcile => self.reconcile().await,
            Op::Commit { .. }
            | Op::Finish { .. }
            | Op::Release { .. }
            | Op::BackOff { .. }
            | Op::Renew { .. } => {
                self.write(op).await;
            }
            _ => self.ask(op).await,
        }
    }

    /// Every record and counter is as the model has it.
    async fn compare(&self) {
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
        assert_eq!(self.test.violations(), []);
    }
}

fn sequences(redis: &Arc<TestRedis>, partitions: u16, cases: u32) {
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
    TestRunner::new(config)
        .run(&proptest::collection::vec(any_op(), 1..200), |ops| {
            runtime.block_on(async {
                let setup = StoreSetup {
                    redis: Arc::clone(redis),
                    partitions,
                    namespace: None,
                };
                let test = TestStore::open(setup, |_| {}).await;
                let mut run = Run {
                    test,
                    model: Model::default(),
                    holders: Vec::new(),
                    clients: 0,
                };
                for op in ops {
                    run.apply(op).await;
                }
                run.compare().await;
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_sequence_in_one_partition() {
    sequences(&TestRedis::shared(), 1, 100);
}

#[test]
fn any_sequence_in_four_partitions() {
    sequences(&TestRedis::shared(), 4, 100);
}

#[test]
fn any_sequence_on_the_embedded_engine() {
    sequences(&TestRedis::shared_embedded(), 1, 25);
}
