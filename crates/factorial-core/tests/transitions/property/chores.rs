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
        factorial_core::Keys::new(self.test.store().namespace().clone()).place(partition, place)
    }

    pub(super) async fn recover(&mut self) {
        let policy = RecoverPolicy {
            max_recoveries: MAX_RECOVERIES,
            most: 100,
        };
        let (mut recovered, mut poisoned) = (0, 0);
        for partition in self.test.store().all_partitions() {
            let step = self.test.store().recover(partition, policy).await.unwrap();
            recovered += step.recovered;
            poisoned += step.poisoned;
        }
        let mut expected = (0, 0);
        for task in self.model.tasks.iter_mut().filter(|t| t.lease_expired) {
            task.recoveries += 1;
            task.crashes += 1;
            if task.crashes > MAX_RECOVERIES {
                task.end(TaskState::Failed);
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
                .promote(partition, 100)
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
                .enforce_deadlines(partition, 100)
                .await
                .unwrap()
                .count;
        }
        let late = self.model.tasks.iter_mut().filter(|t| t.late);
        assert_eq!(ended, late.map(|t| t.end(TaskState::Failed)).count() as u64);
    }

    pub(super) async fn expire(&mut self, state: TaskState) {
        let mut removed = 0;
        for partition in self.test.store().all_partitions() {
            removed += self
                .test
                .store()
                .expire(partition, state, Duration::ZERO, 100)
                .await
                .unwrap()
                .count;
        }
        let old = self
            .model
            .tasks
            .iter_mut()
            .filter(|t| !t.gone && t.state == state);
        assert_eq!(removed, old.map(|t| t.gone = true).count() as u64);
    }

    pub(super) async fn reconcile(&self) {
        let agents = AGENTS.map(|a| Walk::Agent(a.parse().unwrap()));
        for walk in agents
            .into_iter()
            .chain([Walk::Leases, Walk::Delays, Walk::Pending])
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
