//! The tasks that this process holds: what the heartbeat renews and what signals reach.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use factorial_agent::Signals;
use factorial_core::{Held, TaskId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::journal::deltas::Deltas;

/// A task in flight.
#[derive(Clone)]
pub(crate) struct InFlight {
    pub(crate) held: Held,
    /// Drop the run: the task has ended or another worker has it.
    pub(crate) lost: CancellationToken,
    pub(crate) signals: Arc<Signals>,
    /// Text of its open reply.
    pub(crate) deltas: Arc<Deltas>,
    /// A write is under way that gives the lease up: its answer says what has become of it, not the heartbeat.
    pub(crate) ending: bool,
    /// When it was said that the task is cancelled.
    pub(crate) cancelled_at: Option<Instant>,
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
    /// The same of those that somebody began to listen to.
    early_watched: VecDeque<TaskId>,
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
        let before = tasks.early_watched.len();
        tasks.early_watched.retain(|id| *id != task.held.id);
        if tasks.early_watched.len() < before {
            task.deltas.watch();
        }
        if let Some(older) = tasks.in_flight.insert(task.held.id.clone(), task) {
            older.lost.cancel();
        }
        signalled
    }

    /// Removes it, unless a newer run of the same task has taken its place. Returns when it was cancelled, if it was.
    pub(crate) fn remove(&self, held: &Held) -> Option<Instant> {
        let mut tasks = self.lock();
        tasks
            .in_flight
            .get(&held.id)
            .filter(|t| t.held.token == held.token)?;
        tasks.in_flight.remove(&held.id)?.cancelled_at
    }

    pub(crate) fn all(&self) -> Vec<Held> {
        self.lock()
            .in_flight
            .values()
            .map(|t| t.held.clone())
            .collect()
    }

    /// The heartbeat has found the lease gone. Not so when the run is giving it up itself: it would be dropped with the
    /// answer to its last write on the way.
    pub(crate) fn lose(&self, held: &Held) {
        if let Some(task) = self
            .lock()
            .in_flight
            .get(&held.id)
            .filter(|t| t.held.token == held.token && !t.ending)
        {
            tracing::info!(task.id = %held.id, "lease lost");
            task.lost.cancel();
        }
    }

    /// The run begins a write that gives the lease up, or has its answer and goes on.
    pub(crate) fn set_ending(&self, held: &Held, ending: bool) {
        if let Some(task) = self
            .lock()
            .in_flight
            .get_mut(&held.id)
            .filter(|t| t.held.token == held.token)
        {
            task.ending = ending;
        }
    }

    /// The task has ended, whoever held it.
    pub(crate) fn cancel(&self, id: &TaskId) {
        let mut tasks = self.lock();
        if let Some(task) = tasks.in_flight.get_mut(id) {
            task.cancelled_at.get_or_insert_with(Instant::now);
            task.lost.cancel();
            return;
        }
        keep(&mut tasks.early, id);
    }

    pub(crate) fn interrupt(&self, id: &TaskId) {
        if let Some(task) = self.lock().in_flight.get(id) {
            task.signals.interrupt();
        }
    }

    /// Somebody listens.
    pub(crate) fn watch(&self, id: &TaskId) {
        let mut tasks = self.lock();
        if let Some(task) = tasks.in_flight.get(id) {
            task.deltas.watch();
        } else {
            keep(&mut tasks.early_watched, id);
        }
    }
}

fn keep(early: &mut VecDeque<TaskId>, id: &TaskId) {
    early.push_back(id.clone());
    if early.len() > EARLY_SIGNALS {
        early.pop_front();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_gives_its_lease_up_does_not_lose_it() {
        let tasks = HeldTasks::default();
        let lost = CancellationToken::new();
        let held = Held {
            id: "0-01hf7yat000000000000000007".parse().unwrap(),
            token: 7,
        };
        tasks.insert(InFlight {
            held: held.clone(),
            lost: lost.clone(),
            signals: Arc::new(Signals::new(CancellationToken::new())),
            deltas: Arc::new(Deltas::new(false, false)),
            ending: false,
            cancelled_at: None,
        });
        tasks.set_ending(&held, true);
        tasks.lose(&held);
        assert!(!lost.is_cancelled());
        // Its write was answered, and it goes on.
        tasks.set_ending(&held, false);
        let older = Held {
            token: 6,
            ..held.clone()
        };
        tasks.lose(&older);
        assert!(!lost.is_cancelled(), "that was another lease");
        tasks.lose(&held);
        assert!(lost.is_cancelled());
    }
}
