//! What clients ask for.

use std::time::Duration;

use factorial_core::{
    CancelOutcome, Enqueued, Partition, Priority, RetryOutcome, Start, Steer, SteerOutcome, TaskId,
    TaskState,
};
use ulid::Ulid;

use super::{AGENTS, OWNERS, Run, model::Expected, operation::Op};
use crate::world::{message, new_task, owner};

impl Run {
    /// What clients ask for, and time does.
    pub(super) async fn ask(&mut self, op: Op) {
        let runs = |t: &Expected| t.state == TaskState::Processing;
        let lives = |t: &Expected| !t.state.is_terminal();
        let ended = |t: &Expected| t.state.is_terminal();
        match op {
            Op::ExpireLease { task } => {
                if let Some(i) = self.pick(task, runs) {
                    self.expire_lease(i);
                }
            }
            Op::Cancel { task } => {
                if let Some(i) = self.pick(task, lives) {
                    self.cancel(i).await;
                }
            }
            Op::Steer { task, messages } => {
                if let Some(i) = self.pick(task, lives) {
                    self.steer(i, messages).await;
                }
            }
            Op::Retry { task } => {
                if let Some(i) = self.pick(task, ended) {
                    self.retry(i).await;
                }
            }
            _ => {}
        }
    }

    pub(super) async fn enqueue(&mut self, op: Op) {
        let Op::Enqueue {
            agent,
            owner: whose,
            priority,
            later,
            limit,
            parent,
            previous,
        } = op
        else {
            return;
        };
        let parent = parent.and_then(|n| self.pick(n, |t| !t.state.is_terminal()));
        // A task with both would need them in one partition.
        let previous = previous
            .filter(|_| parent.is_none())
            .and_then(|n| self.pick(n, |t| t.state.is_terminal()));
        let tasks = &mut self.model.tasks;
        let number = tasks.len();
        let relative = parent.or(previous).map(|i| tasks[i].id.partition());
        let partitions = self.test.store().partitions();
        let partition = relative.unwrap_or(Partition(u16::try_from(number).unwrap() % partitions));
        let mut task = new_task(TaskId::new(partition, Ulid::from_parts(1, number as u128)));
        task.agent = AGENTS[agent].parse().unwrap();
        task.owner = owner(OWNERS[whose]);
        task.priority = Priority::try_from(priority).unwrap();
        task.start = if later {
            Start::After(Duration::from_secs(3_600))
        } else {
            Start::Now
        };
        task.deadline = limit.then_some(Duration::ZERO);
        task.parent = parent.map(|i| (tasks[i].id.clone(), Some(format!("call {number}"))));
        task.previous = previous.map(|i| tasks[i].id.clone());
        let outcome = self.test.store().enqueue(&task).await.unwrap();

        if parent.is_some_and(|i| tasks[i].gone || tasks[i].state.is_terminal()) {
            assert_eq!(outcome, Enqueued::ParentFinished);
            return;
        }
        let usable = |t: &Expected| !t.gone && t.state.is_terminal() && t.owner == OWNERS[whose];
        if previous.is_some_and(|i| !usable(&tasks[i])) {
            assert_eq!(outcome, Enqueued::PreviousUnusable);
            return;
        }
        let state = if later {
            TaskState::Scheduled
        } else {
            TaskState::Queued
        };
        assert_eq!(outcome, Enqueued::Accepted(state));
        assert_eq!(
            self.test.store().enqueue(&task).await.unwrap(),
            Enqueued::Exists(task.id.clone())
        );
        let entries = 1 + previous.map_or(0, |i| tasks[i].entries);
        tasks.push(Expected {
            id: task.id,
            agent: AGENTS[agent],
            owner: OWNERS[whose],
            priority,
            parent,
            state,
            gone: false,
            late: limit && !later,
            lease_expired: false,
            token: 0,
            attempts: 0,
            retries: 0,
            recoveries: 0,
            crashes: 0,
            hand_backs: 0,
            turns: 0,
            waiting: 0,
            entries,
        });
    }

    pub(super) async fn cancel(&mut self, index: usize) {
        let task = &self.model.tasks[index];
        let outcome = self
            .test
            .store()
            .cancel(&task.id, Some("asked"))
            .await
            .unwrap();
        if task.gone {
            assert_eq!(outcome, CancelOutcome::NotFound);
        } else if task.state.is_terminal() {
            assert_eq!(outcome, CancelOutcome::Finished(task.state));
        } else {
            assert_eq!(outcome, CancelOutcome::Cancelled);
            self.model.cancel(index);
        }
    }

    pub(super) async fn steer(&mut self, index: usize, count: usize) {
        let task = &mut self.model.tasks[index];
        self.clients += 1;
        let client_id = self.clients.to_string();
        let messages: Vec<_> = (0..count)
            .map(|i| message(&format!("{client_id} {i}")))
            .collect();
        let steer = Steer {
            messages: &messages,
            interrupt: false,
            client_id: &client_id,
        };
        let outcome = self.test.store().steer(&task.id, &steer).await.unwrap();
        if task.gone {
            assert_eq!(outcome, SteerOutcome::NotFound);
        } else if task.state.is_terminal() {
            assert_eq!(outcome, SteerOutcome::Finished(task.state));
        } else {
            task.waiting += u32::try_from(count).unwrap();
            assert_eq!(outcome, SteerOutcome::Accepted(task.waiting.into()));
            let again = self.test.store().steer(&task.id, &steer).await.unwrap();
            assert_eq!(again, SteerOutcome::Duplicate(task.waiting.into()));
        }
    }

    pub(super) async fn retry(&mut self, index: usize) {
        let task = &mut self.model.tasks[index];
        let outcome = self.test.store().retry(&task.id, None).await.unwrap();
        if task.gone {
            assert_eq!(outcome, RetryOutcome::NotFound);
        } else if matches!(task.state, TaskState::Failed | TaskState::Cancelled) {
            assert_eq!(outcome, RetryOutcome::Queued);
            task.requeue();
            task.retries = 0;
            task.crashes = 0;
        } else {
            assert_eq!(outcome, RetryOutcome::NotRetryable(task.state));
        }
    }
}
