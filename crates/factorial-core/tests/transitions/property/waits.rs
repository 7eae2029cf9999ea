//! What the tasks of the model await.

use factorial_core::{TaskState, WaitKey, WaitKind, WaitOutcome, WaitStatus};

use super::model::Model;

/// A wait as the model knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wait {
    Open {
        kind: WaitKind,
        /// Its deadline has passed, and nobody has looked yet.
        late: bool,
        /// The child that will answer.
        child: Option<usize>,
    },
    Answered {
        kind: WaitKind,
        outcome: WaitOutcome,
        /// What was said, as JSON text; nothing of a child.
        payload: String,
        /// It is part of the conversation.
        taken: bool,
    },
}

impl Wait {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    pub(crate) fn kind(&self) -> WaitKind {
        match self {
            Self::Open { kind, .. } | Self::Answered { kind, .. } => *kind,
        }
    }

    pub(crate) fn answer(&mut self, outcome: WaitOutcome, payload: &str) {
        *self = Self::Answered {
            kind: self.kind(),
            outcome,
            payload: payload.to_owned(),
            taken: false,
        };
    }

    /// Whether a stored one is the same.
    pub(crate) fn fits(&self, stored: &factorial_core::Wait) -> bool {
        let status = match (self, &stored.status) {
            (Self::Open { .. }, WaitStatus::Open { .. }) => true,
            (Self::Answered { outcome, taken, .. }, WaitStatus::Answered { outcome: o, .. }) => {
                !taken && outcome == o
            }
            (Self::Answered { outcome, taken, .. }, WaitStatus::Taken { outcome: o, .. }) => {
                *taken && outcome == o
            }
            _ => false,
        };
        status && stored.kind == self.kind()
    }
}

impl Model {
    /// Answers every open wait of a task. Returns the children that were to answer.
    pub(crate) fn close(&mut self, index: usize, outcome: WaitOutcome) -> Vec<usize> {
        let mut children = Vec::new();
        for wait in self.tasks[index].waits.values_mut() {
            if let Wait::Open { child, .. } = wait {
                children.extend(*child);
                wait.answer(outcome, "{}");
            }
        }
        children
    }

    /// The end of a task reaches its parent.
    pub(crate) fn tell_parent(&mut self, index: usize, state: TaskState) {
        let task = &self.tasks[index];
        let (Some(parent), Some(key)) = (task.parent, task.answers.clone()) else {
            return;
        };
        if !self.tasks[parent].lives() {
            return;
        }
        let outcome = match state {
            TaskState::Completed => WaitOutcome::Completed,
            TaskState::Failed => WaitOutcome::Failed,
            _ => WaitOutcome::Cancelled,
        };
        if let Some(wait) = self.tasks[parent].waits.get_mut(&key)
            && wait.is_open()
        {
            wait.answer(outcome, "");
        }
        self.unpark(parent);
    }

    /// A parked task that awaits nothing any more is queued.
    pub(crate) fn unpark(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        if task.is_parked() && task.open() == 0 {
            task.requeue();
        }
    }

    /// Somebody does not want a task to wait.
    pub(crate) fn interrupt(&mut self, index: usize) {
        let orphaned = self.close(index, WaitOutcome::Interrupted);
        self.orphans.extend(orphaned);
        self.unpark(index);
    }

    /// All answers are part of the conversation now; of children nothing is kept.
    pub(crate) fn take(&mut self, index: usize, keys: &[WaitKey]) {
        for key in keys {
            match self.tasks[index].waits.get_mut(key) {
                Some(Wait::Answered {
                    kind: WaitKind::Child,
                    ..
                }) => drop(self.tasks[index].waits.remove(key)),
                Some(Wait::Answered { taken, .. }) => *taken = true,
                _ => {}
            }
        }
    }
}
