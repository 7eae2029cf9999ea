//! What the reaper does, and time.

use std::time::Duration;

use factorial_core::{Partition, RecoverPolicy, TaskState, Walk};

use super::{AGENTS, ENDS, MAX_RECOVERIES, Run, model::Expected};

impl Run {
    pub(super) fn expire_lease(&mut self, index: usize) {
        let id = self.model.tasks[index].id.clone();
        let key = self.place(id.partition(), "lease");
        let _: i64 = self.test.raw(&["ZADD", &key, "XX", "1", id.as_str()]);
        let task = &mut self.model.tasks[index];
        task.lease_expired = !task.gone && task.state == TaskState::Processing;
    }

    pub(super) fn place(&self, partition: Partition, place: &str) -> String {
        self.test.store().keys().place(partition, place)
    }

    pub(super) async fn recover(&mut self) {
        let policy = RecoverPolicy {
            max_recoveries: MAX_RECOVERIES,
            most: 1_000,
        };
        let (mut recovered, mut poisoned) = (0, 0);
        for partition in self.test.store().all_partitions() {
            let step = self.test.store().recover(partition, policy).await.unwrap();
            recovered += step.recovered;
            poisoned += step.poisoned;
        }
        let mut expected = (0, 0);
        // In the order of the index: the leases have expired in the same ms, so by id.
        for index in 0..self.model.tasks.len() {
            let task = &mut self.model.tasks[index];
            if !task.lease_expired {
                continue;
            }
            task.recoveries += 1;
            task.crashes += 1;
            if task.crashes > MAX_RECOVERIES {
                self.model.end(index, TaskState::Failed);
                expected.1 += 1;
            } else {
                task.requeue();
                expected.0 += 1;
            }
        }
        assert_eq!((recovered, poisoned), expected);
    }

    /// Everything that is delayed becomes due, and is promoted.
    pub(super) async fn promote(&mut self) {
        let mut promoted = 0;
        for partition in self.test.store().all_partitions() {
            let key = self.place(partition, "delay");
            let delayed: Vec<String> = self.test.raw(&["ZRANGE", &key, "0", "-1"]);
            for id in delayed {
                let _: i64 = self.test.raw(&["ZADD", &key, "1", &id]);
            }
            promoted += self
                .test
                .store()
                .promote(partition, 1_000)
                .await
                .unwrap()
                .count;
        }
        let delayed = |t: &&mut Expected| {
            !t.gone && matches!(t.state, TaskState::Scheduled | TaskState::Backoff)
        };
        let expected = self
            .model
            .tasks
            .iter_mut()
            .filter(delayed)
            .map(Expected::requeue)
            .count();
        assert_eq!(promoted, expected as u64);
    }

    pub(super) async fn deadlines(&mut self) {
        let mut ended = 0;
        for partition in self.test.store().all_partitions() {
            ended += self
                .test
                .store()
                .enforce_deadlines(partition, 1_000)
                .await
                .unwrap()
                .count;
        }
        let mut expected = 0;
        for index in 0..self.model.tasks.len() {
            if self.model.tasks[index].late {
                self.model.end(index, TaskState::Failed);
                expected += 1;
            }
        }
        assert_eq!(ended, expected);
    }

    pub(super) async fn expire(&mut self, state: TaskState) {
        let mut removed = 0;
        for partition in self.test.store().all_partitions() {
            removed += self
                .test
                .store()
                .expire(partition, state, Duration::ZERO, 1_000)
                .await
                .unwrap()
                .count;
        }
        // One with a descendant that lives is kept for it.
        let old: Vec<usize> = (0..self.model.tasks.len())
            .filter(|i| !self.model.tasks[*i].gone && self.model.tasks[*i].state == state)
            .filter(|i| self.model.living_below(*i).is_empty())
            .collect();
        assert_eq!(removed, old.len() as u64);
        for i in old {
            self.model.tasks[i].gone = true;
        }
    }

    pub(super) async fn reconcile(&self) {
        let agents = AGENTS.map(|a| Walk::Agent(a.parse().unwrap()));
        for walk in agents
            .into_iter()
            .chain([
                Walk::Leases,
                Walk::Delays,
                Walk::Pending,
                Walk::Awaits,
                Walk::Asked,
            ])
            .chain(ENDS.map(Walk::Done))
        {
            for partition in self.test.store().all_partitions() {
                let page = self
                    .test
                    .store()
                    .reconcile(partition, &walk, None, 1_000)
                    .await
                    .unwrap();
                assert_eq!((page.next, page.repaired), (None, 0), "{walk:?}");
            }
        }
    }
}
