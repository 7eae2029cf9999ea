//! The tasks that this process holds: what the heartbeat renews and what signals reach.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use factorial_agent::Signals;
use factorial_core::{Held, TaskId};
use tokio_util::sync::CancellationToken;

/// A task in flight.
#[derive(Clone)]
pub(crate) struct InFlight {
    pub(crate) held: Held,
    /// Drop the run: the task has ended or another worker has it.
    pub(crate) lost: CancellationToken,
    pub(crate) signals: Arc<Signals>,
}

/// Signals kept for tasks whose claim may be on its way to us.
const EARLY_SIGNALS: usize = 256;

/// All of them.
#[derive(Clone, Default)]
pub(crate) struct HeldTasks(Arc<Mutex<Tasks>>);

#[derive(Default)]
struct Tasks {
    in_flight: HashMap<TaskId, InFlight>,
    /// Cancelled when they were not here: the signal may have overtaken the reply of the claim.
    early: VecDeque<TaskId>,
}

impl HeldTasks {
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a task. An older run of it here has lost its lease, or it could not have been claimed again.
    /// True: a signal came before the task, so its lease is to be looked at.
    pub(crate) fn insert(&self, task: InFlight) -> bool {
        let mut tasks = self.lock();
        let before = tasks.early.len();
        tasks.early.retain(|id| *id != task.held.id);
        let signalled = tasks.early.len() < before;
        if let Some(older) = tasks.in_flight.insert(task.held.id.clone(), task) {
            older.lost.cancel();
        }
        signalled
    }

    /// Removes it, unless a newer run of the same task has taken its place.
    pub(crate) fn remove(&self, held: &Held) {
        let mut tasks = self.lock();
        if tasks
            .in_flight
            .get(&held.id)
            .is_some_and(|t| t.held.token == held.token)
        {
            tasks.in_flight.remove(&held.id);
        }
    }

    pub(crate) fn all(&self) -> Vec<Held> {
        self.lock()
            .in_flight
            .values()
            .map(|t| t.held.clone())
            .collect()
    }

    pub(crate) fn lose(&self, held: &Held) {
        if let Some(task) = self
            .lock()
            .in_flight
            .get(&held.id)
            .filter(|t| t.held.token == held.token)
        {
            task.lost.cancel();
        }
    }

    /// The task has ended, whoever held it.
    pub(crate) fn cancel(&self, id: &TaskId) {
        let mut tasks = self.lock();
        if let Some(task) = tasks.in_flight.get(id) {
            task.lost.cancel();
            return;
        }
        tasks.early.push_back(id.clone());
        if tasks.early.len() > EARLY_SIGNALS {
            tasks.early.pop_front();
        }
    }

    pub(crate) fn interrupt(&self, id: &TaskId) {
        if let Some(task) = self.lock().in_flight.get(id) {
            task.signals.interrupt();
        }
    }
}
