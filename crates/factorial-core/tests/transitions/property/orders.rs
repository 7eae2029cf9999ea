//! Every order of what a few actors do to one small tree, each actor's own order kept: each step is compared with the
//! model, the invariants are checked after each order, and everybody must get to an end from there.

use std::thread;

use factorial_core::{TaskState, WaitKind};
use factorial_tests::{StoreSetup, TestRedis, TestStore};

use super::{
    ENDS, Run,
    operation::{Answering, Spawn},
};

/// Who holds a task at first: the parent's worker, then those of its children. The parent is task 0.
const PARENT: usize = 0;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// By the one who held the task first, who may have lost it.
    Park(usize),
    Finish(usize, bool),
    Release(usize),
    Ask(usize, WaitKind),
    Spawn(usize),
    /// By whoever held the task last.
    ParkAgain(usize),
    TakeAgain(usize),
    FinishAgain(usize, bool),
    /// All that is queued.
    Claim,
    /// The worker of a task dies.
    Kill(usize),
    Recover,
    Cancel(usize),
    Retry(usize),
    /// With an interrupt or without.
    Steer(usize, bool),
    /// The first call that is open, or the first one that was; this way or the other.
    Answer(usize, bool),
    ExpireWaits,
    Cascade,
    Deadlines,
}

/// A held parent and what it has registered; all its children are held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scene {
    pub(super) children: usize,
    /// A child of the first child, held and awaited.
    pub(super) grandchild: bool,
    pub(super) asks: &'static [WaitKind],
    /// All waits are late.
    pub(super) late: bool,
    /// The time of the children themselves is over.
    pub(super) limit: bool,
}

/// Says in which order a check failed.
struct Trace<'a>(&'a [Step]);

impl Drop for Trace<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("in the order {:?}", self.0);
        }
    }
}

/// All merges of the actors' steps.
fn merges(actors: &[&[Step]]) -> Vec<Vec<Step>> {
    if actors.iter().all(|steps| steps.is_empty()) {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (i, steps) in actors.iter().enumerate() {
        let Some((first, rest)) = steps.split_first() else {
            continue;
        };
        let mut left = actors.to_vec();
        left[i] = rest;
        for tail in merges(&left) {
            all.push([*first].into_iter().chain(tail).collect());
        }
    }
    all
}

/// Plays all orders of a scene. Returns how many there are.
pub(super) async fn explore(embedded: bool, scene: Scene, actors: &[&[Step]]) -> usize {
    let start = if embedded {
        TestRedis::shared_embedded
    } else {
        TestRedis::shared
    };
    let setup = StoreSetup {
        redis: tokio::task::spawn_blocking(start).await.unwrap(),
        partitions: 1,
        namespace: None,
    };
    let mut test = TestStore::open(setup, |_| {}).await;
    let orders = merges(actors);
    for order in &orders {
        let trace = Trace(order);
        let mut run = Run::new(test);
        run.open(scene).await;
        for step in order {
            run.play(*step).await;
        }
        assert_eq!(run.test.violations(), [], "before the end");
        run.compare_records().await;
        run.drain().await;
        run.reconcile().await;
        run.compare().await;
        for end in ENDS {
            run.expire(end).await;
        }
        test = run.test;
        drop(trace);
    }
    orders.len()
}

impl Run {
    async fn open(&mut self, scene: Scene) {
        self.root().await;
        for _ in 0..scene.children {
            self.child(PARENT, scene).await;
        }
        if scene.grandchild {
            self.child(1, Scene::default()).await;
        }
        for kind in scene.asks {
            self.ask(PARENT, *kind, scene.late).await;
        }
    }

    /// A root that is held.
    async fn root(&mut self) {
        let op = super::Op::Enqueue {
            agent: 0,
            owner: 0,
            priority: 5,
            later: false,
            limit: false,
            previous: None,
        };
        self.enqueue(op).await;
        self.claim_all().await;
    }

    /// A child that is awaited and held.
    async fn child(&mut self, holder: usize, scene: Scene) {
        let spawn = Spawn {
            holder,
            agent: 0,
            count: 1,
            awaited: true,
            late: scene.late,
            limit: scene.limit,
        };
        self.spawn(holder, spawn).await;
        self.claim_all().await;
    }

    async fn claim_all(&mut self) {
        let first = self.model.tasks[PARENT].id.partition();
        self.claim(first, super::AGENTS[0], 100).await;
    }

    /// The last holder of a task.
    fn last(&self, task: usize) -> Option<usize> {
        let id = &self.model.tasks[task].id;
        self.holders.iter().rposition(|h| h.held.id == *id)
    }

    async fn play(&mut self, step: Step) {
        match step {
            Step::Park(holder) => self.park(holder).await,
            Step::Finish(holder, well) => self.finish(holder, well).await,
            Step::Release(holder) => self.put_back(holder, false).await,
            Step::Ask(holder, kind) => drop(self.ask(holder, kind, false).await),
            Step::Spawn(holder) => self.child(holder, Scene::default()).await,
            Step::ParkAgain(task) => {
                if let Some(holder) = self.last(task) {
                    self.park(holder).await;
                }
            }
            Step::TakeAgain(task) => {
                if let Some(holder) = self.last(task) {
                    self.take(holder).await;
                }
            }
            Step::FinishAgain(task, well) => {
                if let Some(holder) = self.last(task) {
                    self.finish(holder, well).await;
                }
            }
            Step::Claim => self.claim_all().await,
            Step::Kill(task) => self.expire_lease(task),
            Step::Recover => self.recover().await,
            Step::Cancel(task) => self.cancel(task).await,
            Step::Retry(task) => self.retry(task).await,
            Step::Steer(task, interrupt) => self.steer(task, 1, interrupt).await,
            Step::Answer(task, well) => self.answer_first(task, well).await,
            Step::ExpireWaits => self.expire_waits().await,
            Step::Cascade => self.cascade().await,
            Step::Deadlines => self.deadlines().await,
        }
    }

    async fn answer_first(&mut self, task: usize, well: bool) {
        let waits = &self.model.tasks[task].waits;
        let calls = || waits.iter().filter(|(_, w)| w.kind() != WaitKind::Child);
        let first = calls().find(|(_, w)| w.is_open()).or(calls().next());
        let Some(key) = first.map(|(key, _)| key.clone()) else {
            return;
        };
        let answering = Answering {
            task,
            wait: 0,
            well,
            payload: 1,
            wrong_kind: false,
        };
        self.answer_to(task, key, answering).await;
        let state = self.model.tasks[task].state;
        assert!(state != TaskState::PendingChildTasks || self.model.tasks[task].open() > 0);
    }
}
