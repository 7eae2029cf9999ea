//! What workers do that spawn, ask and wait.

use std::time::Duration;

use factorial_core::{
    Commit, CommitOutcome, Enqueued, NewWait, ParkOutcome, ParkedFor, Partition, TaskId, TaskState,
    WaitKey, WaitKind,
};
use ulid::Ulid;

use super::{AGENTS, Holder, Run, model::Expected, operation::Spawn, waits::Wait};
use crate::world::{LEASE, new_task, owner, spawned};

/// How deep the trees of the model may be.
pub(super) const MAX_DEPTH: u32 = 4;
/// How many descendants a root may have.
pub(super) const MAX_DESCENDANTS: u64 = 120;

pub(super) const ASKED: [WaitKind; 3] = [WaitKind::Caller, WaitKind::Operator, WaitKind::Approval];

impl Run {
    /// An id for the next task.
    pub(super) fn next_id(&self, partition: Partition) -> TaskId {
        let number = self.model.tasks.len();
        TaskId::new(partition, Ulid::from_parts(1, number as u128))
    }

    pub(super) fn next_call(&mut self) -> String {
        self.calls += 1;
        format!("call-{}", self.calls)
    }

    pub(super) fn root_of(&self, index: usize) -> usize {
        let mut root = index;
        while let Some(parent) = self.model.tasks[root].parent {
            root = parent;
        }
        root
    }

    /// Spawns the children of one call; some may be refused.
    pub(super) async fn spawn(&mut self, holder: usize, spawn: Spawn) {
        let call = self.next_call();
        for index in 0..spawn.count {
            let wait = spawn
                .awaited
                .then(|| WaitKey::Child(call.clone(), u32::try_from(index).unwrap()));
            if !self.spawn_one(holder, spawn, wait).await {
                return;
            }
        }
    }

    async fn spawn_one(&mut self, holder: usize, spawn: Spawn, wait: Option<WaitKey>) -> bool {
        let held = self.holders[holder].held.clone();
        let index = self.model.index(&held.id);
        let id = self.next_id(held.id.partition());
        let parent = &self.model.tasks[index];
        let mut task = new_task(id.clone());
        task.agent = AGENTS[spawn.agent].parse().unwrap();
        task.owner = owner(parent.owner);
        task.deadline = spawn.limit.then_some(Duration::ZERO);
        let mut by = spawned(&held, wait.clone());
        by.timeout = spawn.late.then_some(Duration::ZERO);
        by.max_depth = MAX_DEPTH;
        by.max_descendants = MAX_DESCENDANTS;
        task.parent = Some(by);
        let outcome = self.test.store().enqueue(&task).await.unwrap();

        let (lease, root) = (self.lease(holder), self.root_of(index));
        let parent = &self.model.tasks[index];
        let had = &self.model.tasks[root];
        let refused = if lease.is_err() {
            Some(Enqueued::ParentLost)
        } else if parent.depth + 1 > MAX_DEPTH {
            Some(Enqueued::TooDeep)
        } else if !had.gone && had.spawned >= MAX_DESCENDANTS {
            Some(Enqueued::TooMany)
        } else {
            None
        };
        if let Some(refused) = refused {
            self.saw(match refused {
                Enqueued::ParentLost => "a spawn without the lease",
                Enqueued::TooDeep => "a tree that is deep enough",
                _ => "a tree that is large enough",
            });
            assert_eq!(outcome, refused);
            return false;
        }
        assert!(
            matches!(outcome, Enqueued::Accepted(TaskState::Queued, _)),
            "{outcome:?}"
        );
        assert_eq!(
            self.test.store().enqueue(&task).await.unwrap(),
            Enqueued::Exists(id.clone()),
            "its repetition"
        );
        let child = self.model.tasks.len();
        let expected = Expected {
            parent: Some(index),
            answers: wait.clone(),
            depth: parent.depth + 1,
            late: spawn.limit,
            ..Expected::new(id, AGENTS[spawn.agent], parent.owner)
        };
        self.model.tasks.push(expected);
        if !self.model.tasks[root].gone {
            self.model.tasks[root].spawned += 1;
        }
        if let Some(key) = wait {
            let open = Wait::Open {
                kind: WaitKind::Child,
                late: spawn.late,
                child: Some(child),
            };
            self.model.tasks[index].waits.insert(key, open);
        }
        true
    }

    /// Commits the wait for a call.
    pub(super) async fn ask(&mut self, holder: usize, kind: WaitKind, late: bool) -> WaitKey {
        let call = self.next_call();
        let key = match kind {
            WaitKind::Approval => WaitKey::Approval(call),
            _ => WaitKey::Call(call),
        };
        let wait = NewWait {
            timeout: late.then_some(Duration::ZERO),
            ..crate::world::asks(kind, key.clone())
        };
        let open = Wait::Open {
            kind,
            late,
            child: None,
        };
        if let Some(index) = self.part(holder, vec![], vec![wait]).await {
            self.model.tasks[index].waits.insert(key.clone(), open);
        }
        key
    }

    /// Commits all answers that there are.
    pub(super) async fn take(&mut self, holder: usize) {
        let index = self.model.index(&self.holders[holder].held.id);
        let answered = self.model.tasks[index].waits.iter();
        let keys: Vec<WaitKey> = answered
            .filter(|(_, wait)| matches!(wait, Wait::Answered { taken: false, .. }))
            .map(|(key, _)| key.clone())
            .collect();
        if let Some(index) = self.part(holder, keys.clone(), vec![]).await {
            self.model.take(index, &keys);
        }
    }

    /// A commit of nothing but waits. Returns the task, unless the lease was lost.
    async fn part(
        &mut self,
        holder: usize,
        taken: Vec<WaitKey>,
        waits: Vec<NewWait>,
    ) -> Option<usize> {
        let lease = self.lease(holder);
        let known = lease.map_or(1, |i| self.model.tasks[i].entries);
        let Holder { held, write } = &mut self.holders[holder];
        let commit = Commit {
            write: *write + 1,
            known,
            taken,
            waits,
            ..Commit::default()
        };
        let store = self.test.store();
        let outcome = store.commit(held, &commit, false, LEASE).await.unwrap();
        let index = match lease {
            Ok(index) => index,
            Err(state) => {
                assert_eq!(outcome, CommitOutcome::Stale(state));
                return None;
            }
        };
        *write += 1;
        let again = store.commit(held, &commit, false, LEASE).await.unwrap();
        assert_eq!(again, outcome, "its repetition");
        assert_eq!(outcome, CommitOutcome::Committed(vec![]));
        self.model.tasks[index].lease_expired = false;
        Some(index)
    }

    pub(super) async fn park(&mut self, holder: usize) {
        let lease = self.lease(holder);
        let index = self.model.index(&self.holders[holder].held.id);
        let mut open = self.model.tasks[index]
            .waits
            .values()
            .filter(|w| w.is_open());
        let parked_for = if open.all(|w| w.kind() == WaitKind::Child) {
            ParkedFor::Children
        } else {
            ParkedFor::Answers
        };
        let Holder { held, write } = &mut self.holders[holder];
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let store = self.test.store();
            outcomes.push(
                store
                    .park(held, *write + 1, parked_for, LEASE)
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(outcomes[0], outcomes[1], "its repetition");
        if let Err(state) = lease {
            assert_eq!(outcomes[0], ParkOutcome::Stale(state));
            return;
        }
        *write += 1;
        if self.model.tasks[index].interrupted {
            if self.model.tasks[index].open() > 0 {
                self.saw("an interrupt before the park");
            }
            self.model.interrupt(index);
        }
        let task = &mut self.model.tasks[index];
        task.lease_expired = false;
        if task.open() > 0 {
            assert_eq!(outcomes[0], ParkOutcome::Parked);
            task.crashes = 0;
            task.state = match parked_for {
                ParkedFor::Children => TaskState::PendingChildTasks,
                ParkedFor::Answers => TaskState::PendingToolResults,
            };
            self.saw("a park");
            return;
        }
        let ParkOutcome::Ready(stored) = &outcomes[0] else {
            panic!("{:?} instead of ready", outcomes[0])
        };
        let stored: Vec<_> = stored.iter().map(|w| &w.key).collect();
        assert_eq!(stored, task.waits.keys().collect::<Vec<_>>());
        if !stored.is_empty() {
            self.saw("nothing left to wait for");
        }
    }
}
