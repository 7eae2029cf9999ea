//! What workers do: claims and fenced writes, by holders whose leases stand and by those whose do not.

use std::time::Duration;

use factorial_core::{
    ClaimRequest, CommitOutcome, Ending, FinishOutcome, Lost, Partition, TaskState, WriteOutcome,
};
use factorial_tests::next_call;

use super::{
    Holder, Run,
    operation::{Op, Spawn},
    parents::ASKED,
};
use crate::world::{LEASE, completed, failed, failure, turn};

impl Run {
    /// What workers do.
    pub(super) async fn write(&mut self, op: Op) {
        let (Op::Commit { holder: n, .. }
        | Op::Finish { holder: n, .. }
        | Op::Release { holder: n }
        | Op::BackOff { holder: n }
        | Op::Renew { holder: n }
        | Op::Spawn(Spawn { holder: n, .. })
        | Op::Ask { holder: n, .. }
        | Op::Take { holder: n }
        | Op::Park { holder: n }) = op
        else {
            return;
        };
        let Some(holder) = self.holder(n, &op) else {
            return;
        };
        match op {
            Op::Commit { boundary, .. } => self.commit(holder, boundary).await,
            Op::Finish { well, .. } => self.finish(holder, well).await,
            Op::Renew { .. } => self.renew(holder).await,
            Op::Spawn(spawn) => self.spawn(holder, spawn).await,
            Op::Ask { kind, late, .. } => drop(self.ask(holder, ASKED[kind], late).await),
            Op::Take { .. } => self.take(holder).await,
            Op::Park { .. } => self.park(holder).await,
            other => {
                self.put_back(holder, matches!(other, Op::BackOff { .. }))
                    .await
            }
        }
    }

    /// The task of a holder, or what the holder must be told.
    pub(super) fn lease(&self, holder: usize) -> Result<usize, Option<TaskState>> {
        let held = &self.holders[holder].held;
        let index = self.model.index(&held.id);
        let task = &self.model.tasks[index];
        if task.gone {
            return Err(None);
        }
        if task.state != TaskState::Processing || task.token != held.token {
            return Err(Some(task.state));
        }
        Ok(index)
    }

    /// A holder, mostly one whose lease stands, and of those one whose task the operation is about.
    pub(super) fn holder(&self, n: usize, op: &Op) -> Option<usize> {
        let about = |index: usize| match op {
            Op::Park { .. } => self.model.tasks[index].open() > 0,
            Op::Take { .. } => !self.model.tasks[index].waits.is_empty(),
            Op::Finish { .. } => self.model.tasks[index].open() == 0,
            _ => true,
        };
        let mut current: Vec<usize> = (0..self.holders.len())
            .filter(|i| self.lease(*i).is_ok())
            .collect();
        if !n.is_multiple_of(7) && current.iter().any(|i| self.lease(*i).is_ok_and(about)) {
            current.retain(|i| self.lease(*i).is_ok_and(about));
        }
        if n.is_multiple_of(8) || current.is_empty() {
            return (!self.holders.is_empty()).then(|| n % self.holders.len());
        }
        Some(current[n % current.len()])
    }

    pub(super) async fn claim(&mut self, partition: Partition, agent: &'static str, most: usize) {
        let (worker, name) = ("w1".parse().unwrap(), agent.parse().unwrap());
        let request = ClaimRequest {
            partition,
            worker: &worker,
            agent: &name,
            most,
            lease: LEASE,
            number: next_call(),
        };
        let claimed = self.test.store().claim(request).await.unwrap();
        let queued = self
            .model
            .tasks
            .iter()
            .filter(|t| t.is_queued_in(partition, agent))
            .count();
        assert_eq!(claimed.len(), queued.min(most), "as many as there are");
        let mut lowest = 9;
        for claimed in claimed {
            let index = self.model.index(&claimed.held.id);
            let highest_token = self
                .model
                .tasks
                .iter()
                .filter(|t| t.id.partition() == partition)
                .map(|t| t.token);
            assert!(claimed.held.token > highest_token.max().unwrap_or(0));
            let task = &mut self.model.tasks[index];
            assert!(task.is_queued_in(partition, agent));
            assert!(task.priority <= lowest, "in the order of priorities");
            lowest = task.priority;
            task.state = TaskState::Processing;
            task.attempts += 1;
            task.token = claimed.held.token;
            assert_eq!(claimed.length, task.entries);
            assert_eq!(claimed.waits.len(), task.waits.len());
            let fits = |w: &factorial_core::Wait| task.waits.get(&w.key).is_some_and(|m| m.fits(w));
            assert!(
                claimed.waits.iter().all(fits),
                "{:?}\n{task:?}",
                claimed.waits
            );
            self.holders.push(Holder {
                held: claimed.held,
                write: 0,
            });
        }
        let left = self
            .model
            .tasks
            .iter()
            .filter(|t| t.is_queued_in(partition, agent))
            .map(|t| t.priority);
        assert!(
            left.max().is_none_or(|p| p <= lowest),
            "higher priorities first"
        );
    }

    pub(super) async fn commit(&mut self, holder: usize, boundary: bool) {
        let lease = self.lease(holder);
        let Holder { held, write } = &mut self.holders[holder];
        *write += 1;
        let (entries, number) = match lease {
            Ok(i) => (self.model.tasks[i].entries, self.model.tasks[i].turns + 1),
            Err(_) => (1, 1),
        };
        let commit = turn(*write, entries, number);
        let store = self.test.store();
        let outcome = store.commit(held, &commit, boundary, LEASE).await.unwrap();
        let index = match lease {
            Ok(index) => index,
            Err(state) => {
                *write -= 1;
                assert_eq!(outcome, CommitOutcome::Stale(state));
                return;
            }
        };
        assert_eq!(
            store.commit(held, &commit, boundary, LEASE).await.unwrap(),
            outcome,
            "its repetition"
        );
        let CommitOutcome::Committed(taken) = outcome else {
            panic!("{outcome:?}")
        };
        let task = &mut self.model.tasks[index];
        task.lease_expired = false;
        task.crashes = 0;
        task.turns = number;
        task.entries += 1;
        if boundary {
            assert_eq!(taken.len(), task.waiting as usize);
            task.take_steering();
        } else {
            assert!(taken.is_empty());
        }
    }

    pub(super) async fn finish(&mut self, holder: usize, well: bool) {
        let lease = self.lease(holder);
        let Holder { held, write } = &mut self.holders[holder];
        *write += 1;
        let entries = lease.map_or(1, |i| self.model.tasks[i].entries);
        let finish = if well {
            completed(*write, entries)
        } else {
            failed(*write, entries)
        };
        let store = self.test.store();
        let outcome = store.finish(held, &finish, LEASE).await.unwrap();
        let index = match lease {
            Ok(index) => index,
            Err(state) => {
                *write -= 1;
                assert_eq!(outcome, FinishOutcome::Stale(state));
                return;
            }
        };
        assert_eq!(
            store.finish(held, &finish, LEASE).await.unwrap(),
            outcome,
            "its repetition"
        );
        let task = &mut self.model.tasks[index];
        match (&finish.ending, outcome) {
            (Ending::Completed(_), FinishOutcome::Steered(taken)) => {
                assert!(task.waiting > 0 && taken.len() == task.waiting as usize);
                task.take_steering();
                task.lease_expired = false;
            }
            (Ending::Completed(_), FinishOutcome::Finished) => {
                assert_eq!(task.waiting, 0);
                task.entries += 1;
                self.model.end(index, TaskState::Completed);
            }
            (Ending::Failed(_), FinishOutcome::Finished) => {
                self.model.end(index, TaskState::Failed);
            }
            (_, other) => panic!("{other:?}"),
        }
    }

    pub(super) async fn put_back(&mut self, holder: usize, back_off: bool) {
        let lease = self.lease(holder);
        let Holder { held, write } = &mut self.holders[holder];
        *write += 1;
        let store = self.test.store();
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            outcomes.push(if back_off {
                store
                    .back_off(held, *write, Duration::from_secs(3_600), &failure())
                    .await
                    .unwrap()
            } else {
                store.release(held, *write).await.unwrap()
            });
        }
        assert_eq!(outcomes[0], outcomes[1], "its repetition");
        let index = match lease {
            Ok(index) => index,
            Err(state) => {
                *write -= 1;
                assert_eq!(outcomes[0], WriteOutcome::Stale(state));
                return;
            }
        };
        assert_eq!(outcomes[0], WriteOutcome::Written);
        let task = &mut self.model.tasks[index];
        if back_off {
            task.retries += 1;
            task.state = TaskState::Backoff;
            task.lease_expired = false;
        } else {
            task.hand_backs += 1;
            task.requeue();
        }
    }

    pub(super) async fn renew(&mut self, holder: usize) {
        let held = self.holders[holder].held.clone();
        let lost = self
            .test
            .store()
            .renew(std::slice::from_ref(&held), LEASE)
            .await
            .unwrap();
        match self.lease(holder) {
            Ok(index) => {
                assert_eq!(lost, []);
                self.model.tasks[index].lease_expired = false;
            }
            Err(state) => assert_eq!(lost, [Lost { held, state }]),
        }
    }
}
