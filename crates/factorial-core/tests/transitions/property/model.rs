//! What the tasks of a namespace should look like, kept in memory beside the real ones.

use factorial_core::{TaskId, TaskState};

/// A task as the model knows it.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) id: TaskId,
    pub(crate) agent: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) priority: u8,
    pub(crate) parent: Option<usize>,
    pub(crate) state: TaskState,
    /// It has been removed.
    pub(crate) gone: bool,
    /// Its wall-clock limit has passed, and nobody has looked yet.
    pub(crate) late: bool,
    pub(crate) lease_expired: bool,
    pub(crate) token: u64,
    pub(crate) attempts: u32,
    pub(crate) retries: u32,
    pub(crate) recoveries: u32,
    pub(crate) crashes: u32,
    pub(crate) hand_backs: u32,
    pub(crate) turns: u32,
    /// Steering messages that wait.
    pub(crate) waiting: u32,
    /// Entries of its conversation.
    pub(crate) entries: u64,
}

impl Expected {
    pub(crate) fn is_queued_in(&self, partition: factorial_core::Partition, agent: &str) -> bool {
        !self.gone
            && self.state == TaskState::Queued
            && self.agent == agent
            && self.id.partition() == partition
    }

    /// It ends; what waited is reported as failed.
    pub(crate) fn end(&mut self, state: TaskState) {
        self.state = state;
        self.waiting = 0;
        self.late = false;
        self.lease_expired = false;
    }

    pub(crate) fn requeue(&mut self) {
        self.state = TaskState::Queued;
        self.lease_expired = false;
    }
}

/// All tasks, in the order of their creation; those removed stay, marked.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: Vec<Expected>,
}

impl Model {
    pub(crate) fn index(&self, id: &TaskId) -> usize {
        self.tasks.iter().position(|t| t.id == *id).unwrap()
    }

    /// A task and its descendants, as far as they have not ended, are cancelled.
    pub(crate) fn cancel(&mut self, index: usize) {
        self.tasks[index].end(TaskState::Cancelled);
        let children: Vec<usize> = (0..self.tasks.len())
            .filter(|i| {
                let task = &self.tasks[*i];
                task.parent == Some(index) && !task.gone && !task.state.is_terminal()
            })
            .collect();
        for child in children {
            self.cancel(child);
        }
    }

    /// Tasks that are kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Expected> {
        self.tasks.iter().filter(|t| !t.gone)
    }
}
