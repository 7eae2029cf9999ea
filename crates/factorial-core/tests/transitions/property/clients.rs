//! What clients ask for.

use std::time::Duration;

use factorial_core::{
    CancelOutcome, Enqueued, Partition, Priority, RetryOutcome, Start, Steer, SteerOutcome,
    TaskState,
};

use super::{AGENTS, OWNERS, Run, model::Expected, operation::Op, waits::Wait};
use crate::world::{message, new_task, owner};

impl Run {
    /// What clients ask for, and time does.
    pub(super) async fn request(&mut self, op: Op) {
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
            Op::Steer {
                task,
                messages,
                interrupt,
            } => {
                if let Some(i) = self.pick(task, lives) {
                    self.steer(i, messages, interrupt).await;
                }
            }
            Op::Answer(answering) => {
                let awaits = |t: &Expected| t.waits.values().any(Wait::is_open);
                if let Some(i) = self.pick(answering.task, awaits) {
                    self.answer(i, answering).await;
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
            previous,
        } = op
        else {
            return;
        };
        let previous = previous.and_then(|n| self.pick(n, |t| t.state.is_terminal()));
        let partitions = self.test.store().partitions();
        let number = u16::try_from(self.model.tasks.len()).unwrap();
        let partition = previous.map_or(Partition(number % partitions), |i| {
            self.model.tasks[i].id.partition()
        });
        let id = self.next_id(partition);
        let tasks = &mut self.model.tasks;
        let mut task = new_task(id);
        task.agent = AGENTS[agent].parse().unwrap();
        task.owner = owner(OWNERS[whose]);
        task.priority = Priority::try_from(priority).unwrap();
        task.start = if later {
            Start::After(Duration::from_secs(3_600))
        } else {
            Start::Now
        };
        task.deadline = limit.then_some(Duration::ZERO);
        task.previous = previous.map(|i| tasks[i].id.clone());
        let outcome = self.test.store().enqueue(&task).await.unwrap();

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
        assert!(matches!(outcome, Enqueued::Accepted(s, _) if s == state));
        assert_eq!(
            self.test.store().enqueue(&task).await.unwrap(),
            Enqueued::Exists(task.id.clone())
        );
        let entries = 1 + previous.map_or(0, |i| tasks[i].entries);
        tasks.push(Expected {
            priority,
            state,
            late: limit && !later,
            entries,
            ..Expected::new(task.id, AGENTS[agent], OWNERS[whose])
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
            if self.model.tasks[index].is_parked() {
                self.saw("a parked task that is cancelled");
            }
            if !self.model.living_below(index).is_empty() {
                self.saw("a tree that is cancelled");
            }
            self.model.cancel(index);
        }
    }

    pub(super) async fn steer(&mut self, index: usize, count: usize, interrupt: bool) {
        let task = &mut self.model.tasks[index];
        self.clients += 1;
        let client_id = self.clients.to_string();
        let messages: Vec<_> = (0..count)
            .map(|i| message(&format!("{client_id} {i}")))
            .collect();
        let steer = Steer {
            messages: &messages,
            interrupt,
            client_id: &client_id,
        };
        let id = task.id.clone();
        let outcome = self.test.store().steer(&id, &steer).await.unwrap();
        if task.gone {
            assert_eq!(outcome, SteerOutcome::NotFound);
        } else if task.state.is_terminal() {
            assert_eq!(outcome, SteerOutcome::Finished(task.state));
        } else {
            task.waiting += u32::try_from(count).unwrap();
            assert_eq!(outcome, SteerOutcome::Accepted(task.waiting.into()));
            if interrupt && task.is_parked() {
                self.saw("an interrupt of a parked task");
                self.model.interrupt(index);
                // It may be an orphan itself.
                self.model.cascade(id.partition());
            } else if interrupt {
                task.interrupted = true;
            }
            let waiting = self.model.tasks[index].waiting.into();
            let again = self.test.store().steer(&id, &steer).await.unwrap();
            assert_eq!(again, SteerOutcome::Duplicate(waiting));
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
            if self.model.tasks[index].parent.is_some() {
                self.saw("a child that is retried");
            }
            self.model.roll_up(index, -1);
        } else {
            assert_eq!(outcome, RetryOutcome::NotRetryable(task.state));
        }
    }
}
