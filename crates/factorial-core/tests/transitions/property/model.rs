//! What the tasks of a namespace should look like, kept in memory beside the real ones.

use std::collections::BTreeMap;

use factorial_core::{Partition, TaskId, TaskState, WaitKey};

use super::waits::Wait;

/// A task as the model knows it.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) id: TaskId,
    pub(crate) agent: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) priority: u8,
    pub(crate) parent: Option<usize>,
    /// What its parent awaits it as.
    pub(crate) answers: Option<WaitKey>,
    pub(crate) depth: u32,
    /// Descendants that it has had, if it is a root.
    pub(crate) spawned: u64,
    /// Descendants that have ended, and the turns that they have taken.
    pub(crate) tree: (u64, u64),
    pub(crate) waits: BTreeMap<WaitKey, Wait>,
    pub(crate) state: TaskState,
    /// It has been removed.
    pub(crate) gone: bool,
    /// Its wall-clock limit has passed, and nobody has looked yet.
    pub(crate) late: bool,
    pub(crate) lease_expired: bool,
    /// Somebody does not want it to park.
    pub(crate) interrupted: bool,
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
    pub(crate) fn new(id: TaskId, agent: &'static str, owner: &'static str) -> Self {
        Self {
            id,
            agent,
            owner,
            priority: 5,
            parent: None,
            answers: None,
            depth: 0,
            spawned: 0,
            tree: (0, 0),
            waits: BTreeMap::new(),
            state: TaskState::Queued,
            gone: false,
            late: false,
            lease_expired: false,
            interrupted: false,
            token: 0,
            attempts: 0,
            retries: 0,
            recoveries: 0,
            crashes: 0,
            hand_backs: 0,
            turns: 0,
            waiting: 0,
            entries: 1,
        }
    }

    pub(crate) fn is_queued_in(&self, partition: Partition, agent: &str) -> bool {
        !self.gone
            && self.state == TaskState::Queued
            && self.agent == agent
            && self.id.partition() == partition
    }

    /// It is kept, and has not ended.
    pub(crate) fn lives(&self) -> bool {
        !self.gone && !self.state.is_terminal()
    }

    pub(crate) fn is_parked(&self) -> bool {
        matches!(
            self.state,
            TaskState::PendingChildTasks | TaskState::PendingToolResults
        )
    }

    pub(crate) fn open(&self) -> usize {
        self.waits.values().filter(|w| w.is_open()).count()
    }

    pub(crate) fn requeue(&mut self) {
        self.state = TaskState::Queued;
        self.lease_expired = false;
    }

    /// The messages that waited are part of its conversation.
    pub(crate) fn take_steering(&mut self) {
        if self.waiting > 0 {
            self.entries += u64::from(self.waiting);
            self.waiting = 0;
            self.interrupted = false;
        }
    }
}

/// All tasks, in the order of their creation; those removed stay, marked.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: Vec<Expected>,
    /// Children that nobody awaits any more and that are still to be cancelled.
    pub(crate) orphans: Vec<usize>,
}

impl Model {
    pub(crate) fn index(&self, id: &TaskId) -> usize {
        self.tasks.iter().position(|t| t.id == *id).unwrap()
    }

    /// Tasks that are kept.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Expected> {
        self.tasks.iter().filter(|t| !t.gone)
    }

    /// A task ends: what waited is reported as failed, what it awaited is closed, its parent is told.
    pub(crate) fn end(&mut self, index: usize, state: TaskState) {
        let task = &mut self.tasks[index];
        task.state = state;
        task.waiting = 0;
        task.late = false;
        task.lease_expired = false;
        task.interrupted = false;
        let orphaned = self.close(index, factorial_core::WaitOutcome::Closed);
        // Those of a cancelled task are cancelled with it.
        if state != TaskState::Cancelled {
            self.orphans.extend(orphaned);
        }
        self.roll_up(index, 1);
        self.tell_parent(index, state);
    }

    /// Adds what a task has spent to those above it, or takes it away again, as far as they are kept.
    pub(crate) fn roll_up(&mut self, index: usize, sign: i64) {
        let turns = u64::from(self.tasks[index].turns);
        let mut above = self.tasks[index].parent;
        while let Some(i) = above.filter(|i| !self.tasks[*i].gone) {
            let tree = &mut self.tasks[i].tree;
            tree.0 = tree.0.wrapping_add_signed(sign);
            tree.1 = tree.1.wrapping_add_signed(sign * turns.cast_signed());
            above = self.tasks[i].parent;
        }
    }

    /// The next living tasks below one: its children, and those of a child that has ended.
    pub(crate) fn living_below(&self, index: usize) -> Vec<usize> {
        let kept = |i: &usize| self.tasks[*i].parent == Some(index) && !self.tasks[*i].gone;
        let mut below = Vec::new();
        for child in (0..self.tasks.len()).filter(kept) {
            if self.tasks[child].lives() {
                below.push(child);
            } else {
                below.extend(self.living_below(child));
            }
        }
        below
    }

    /// A task and its descendants, as far as they have not ended, are cancelled; with the first child, all orphans of
    /// the partition as well.
    pub(crate) fn cancel(&mut self, index: usize) {
        let children = !self.living_below(index).is_empty();
        self.cancel_tree(index);
        if children {
            self.cascade(self.tasks[index].id.partition());
        }
    }

    fn cancel_tree(&mut self, index: usize) -> u64 {
        self.end(index, TaskState::Cancelled);
        let children = self.living_below(index);
        1 + children
            .into_iter()
            .map(|child| self.cancel_tree(child))
            .sum::<u64>()
    }

    /// Cancels the orphans of a partition. Returns how many tasks it cancelled.
    pub(crate) fn cascade(&mut self, partition: Partition) -> u64 {
        let tasks = &self.tasks;
        let (here, elsewhere) = std::mem::take(&mut self.orphans)
            .into_iter()
            .partition(|o| tasks[*o].id.partition() == partition);
        self.orphans = elsewhere;
        let here: Vec<usize> = here;
        here.into_iter()
            .map(|orphan| {
                if self.tasks[orphan].lives() {
                    self.cancel_tree(orphan)
                } else {
                    0
                }
            })
            .sum()
    }
}
