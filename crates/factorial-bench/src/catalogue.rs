//! What can be measured, and the usual size of it.

use std::fmt;
use std::time::Duration;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Accepting tasks: through the store, alone and in bulk, and through the REST interface.
    Enqueue,
    /// Tasks without a model, from queue to end, in one worker process.
    Drain,
    /// Idle: from the call that enqueues to the start of the agent in another process, and to the model's socket.
    Dispatch,
    /// What a worker without work costs.
    Idle,
    /// What a claim costs, with few and many tasks of few and many owners in the queue.
    Claim,
    /// What a turn costs beside its model and its tool.
    Turns,
    /// Slow model calls, all at once in one worker process.
    Inflight,
    /// From a cancellation to the end of the model's socket.
    Cancel,
    /// From a message that interrupts to the next request to the model.
    Steer,
    /// From the end of a dead worker's lease to the run elsewhere.
    Recovery,
    /// From the answer to a parked task to its next request to the model, and what parked tasks weigh.
    Parked,
    /// From an event to those who follow its task.
    Stream,
    /// Everything together, for a while, with workers that die.
    Soak,
}

impl Scenario {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Drain => "drain",
            Self::Dispatch => "dispatch",
            Self::Idle => "idle",
            Self::Claim => "claim",
            Self::Turns => "turns",
            Self::Inflight => "inflight",
            Self::Cancel => "cancel",
            Self::Steer => "steer",
            Self::Recovery => "recovery",
            Self::Parked => "parked",
            Self::Stream => "stream",
            Self::Soak => "soak",
        }
    }

    /// Its figures can be compared with what minimal scripts do.
    #[must_use]
    pub fn has_ceiling(self) -> bool {
        matches!(self, Self::Enqueue | Self::Drain)
    }

    /// It can be measured by REST alone, on a deployment that is there.
    #[must_use]
    pub fn is_remote(self) -> bool {
        matches!(
            self,
            Self::Enqueue
                | Self::Drain
                | Self::Dispatch
                | Self::Cancel
                | Self::Steer
                | Self::Stream
                | Self::Soak
        )
    }

    /// A smaller run before the first repeat makes its figures better.
    #[must_use]
    pub fn warms_up(self) -> bool {
        !matches!(self, Self::Idle | Self::Claim | Self::Recovery | Self::Soak)
    }

    /// It lasts as long as it is told, whatever there is to do.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Idle | Self::Soak)
    }

    /// Tasks of a repeat when nobody says how many.
    #[must_use]
    pub fn default_tasks(self) -> u64 {
        match self {
            Self::Claim => 1_000_000,
            Self::Enqueue | Self::Drain => 50_000,
            Self::Inflight | Self::Parked => 10_000,
            Self::Cancel | Self::Steer | Self::Recovery => 1_000,
            Self::Dispatch => 500,
            Self::Stream => 100,
            Self::Turns => 10,
            Self::Idle | Self::Soak => 1,
        }
    }

    /// The same on a deployment whose agent may cost something.
    #[must_use]
    pub fn default_remote_tasks(self) -> u64 {
        self.default_tasks().min(match self {
            Self::Enqueue | Self::Drain => 1_000,
            _ => 100,
        })
    }

    /// Calls, runs or readers at once when nobody says how many.
    #[must_use]
    pub fn default_concurrency(self) -> usize {
        match self {
            Self::Inflight => 10_000,
            Self::Stream => 1_000,
            Self::Drain | Self::Parked => 100,
            Self::Soak => 64,
            Self::Enqueue => 48,
            Self::Dispatch
            | Self::Idle
            | Self::Claim
            | Self::Turns
            | Self::Cancel
            | Self::Steer
            | Self::Recovery => 1,
        }
    }

    /// How often it is measured when nobody says so.
    #[must_use]
    pub fn default_repeats(self) -> usize {
        if matches!(self, Self::Idle | Self::Claim | Self::Soak) {
            1
        } else {
            3
        }
    }

    /// How long it lasts, if it [lasts](Self::lasts), when nobody says how long.
    #[must_use]
    pub fn default_duration(self) -> Duration {
        match self {
            Self::Soak => Duration::from_secs(300),
            _ => Duration::from_secs(60),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
