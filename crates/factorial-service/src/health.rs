//! Whether a process is alive and ready, as its components say.
//!
//! Components write, the admin port reads. Invariants: ready only when there are components and all of them are ready;
//! alive only while every watched loop has ticked within its maximum age, so a loop that panicked is noticed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// Shared by all components of a process; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    components: Vec<(u64, &'static str, bool)>,
    loops: Vec<Loop>,
}

#[derive(Debug)]
struct Loop {
    id: u64,
    component: &'static str,
    max_age: Duration,
    last: Instant,
}

/// A loop and the time since its last tick.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Age {
    /// Name of the component.
    pub component: &'static str,
    /// Seconds since its last tick.
    pub age_seconds: f64,
    /// Whether that is more than its maximum.
    pub stalled: bool,
}

impl Health {
    /// A process without components, which is alive but not ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component that has to be ready before the process is.
    #[must_use]
    pub fn component(&self, name: &'static str) -> Component {
        let mut state = self.lock();
        let id = state.take_id();
        state.components.push((id, name, false));
        Component {
            health: self.clone(),
            id,
        }
    }

    /// Adds a loop that must tick at least every `max_age`.
    #[must_use]
    pub fn progress(&self, component: &'static str, max_age: Duration) -> Progress {
        let mut state = self.lock();
        let id = state.take_id();
        state.loops.push(Loop {
            id,
            component,
            max_age,
            last: Instant::now(),
        });
        Progress {
            health: self.clone(),
            id,
        }
    }

    /// The components that are not ready; `None` when there are no components at all.
    #[must_use]
    pub fn waiting_for(&self) -> Option<Vec<&'static str>> {
        let state = self.lock();
        if state.components.is_empty() {
            return None;
        }
        let waiting = state.components.iter().filter(|(_, _, ready)| !ready);
        Some(waiting.map(|(_, name, _)| *name).collect())
    }

    /// The age of every watched loop at `now`.
    #[must_use]
    pub fn ages(&self, now: Instant) -> Vec<Age> {
        let age = |watched: &Loop| {
            let age = now.saturating_duration_since(watched.last);
            Age {
                component: watched.component,
                age_seconds: age.as_secs_f64(),
                stalled: age > watched.max_age,
            }
        };
        self.lock().loops.iter().map(age).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panic elsewhere has not harmed it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Says whether one component is ready.
#[derive(Debug)]
pub struct Component {
    health: Health,
    id: u64,
}

impl Component {
    /// Sets it; `false` again at the start of a drain.
    pub fn ready(&self, ready: bool) {
        let mut state = self.health.lock();
        if let Some(entry) = state.components.iter_mut().find(|entry| entry.0 == self.id) {
            entry.2 = ready;
        }
    }
}

/// Says that one loop makes progress. Dropping it does not end the watch: a loop that panicked has to be noticed.
#[derive(Debug)]
pub struct Progress {
    health: Health,
    id: u64,
}

impl Progress {
    /// Restarts the age of the loop.
    pub fn tick(&self) {
        let mut state = self.health.lock();
        if let Some(watched) = state.loops.iter_mut().find(|watched| watched.id == self.id) {
            watched.last = Instant::now();
        }
    }

    /// Ends the watch, because the loop has ended as it should.
    pub fn finish(self) {
        self.health
            .lock()
            .loops
            .retain(|watched| watched.id != self.id);
    }
}
