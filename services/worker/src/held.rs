//! The tasks that this process holds: what the heartbeat renews and what signals reach.

use std::{
    collections::HashMap,
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

/// All of them.
#[derive(Clone, Default)]
pub(crate) struct HeldTasks(Arc<Mutex<HashMap<TaskId, InFlight>>>);

impl HeldTasks {
    fn lock(&self) -> MutexGuard<'_, HashMap<TaskId, InFlight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a task. An older run of it here has lost its lease, or it could not have been claimed again.
    pub(crate) fn insert(&self, task: InFlight) {
        if let Some(older) = self.lock().insert(task.held.id.clone(), task) {
            older.lost.cancel();
        }
    }

    /// Removes it, unless a newer run of the same task has taken its place.
    pub(crate) fn remove(&self, held: &Held) {
        let mut tasks = self.lock();
        if tasks.get(&held.id).is_some_and(|t| t.held.token == held.token) {
            tasks.remove(&held.id);
        }
    }

    pub(crate) fn all(&self) -> Vec<Held> {
        self.lock().values().map(|t| t.held.clone()).collect()
    }

    pub(crate) fn lose(&self, held: &Held) {
        if let Some(task) = self.lock().get(&held.id).filter(|t| t.held.token == held.token) {
            task.lost.cancel();
        }
    }

    /// The task has ended, whoever held it.
    pub(crate) fn cancel(&self, id: &TaskId) {
        if let Some(task) = self.lock().get(id) {
            task.lost.cancel();
        }
    }

    pub(crate) fn interrupt(&self, id: &TaskId) {
        if let Some(task) = self.lock().get(id) {
            task.signals.interrupt();
        }
    }
}
