//! What a caller asks for, and what the load generator takes from its surroundings.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use ulid::Ulid;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Accepting tasks: through the store, and through the REST interface.
    Enqueue,
    /// Tasks without a model, from queue to end, in one worker process.
    Drain,
    /// Idle: from the call that enqueues to the start of the agent in another process, and to the model's socket.
    Dispatch,
    /// What a turn costs beside its model and its tool.
    Turns,
    /// Slow model calls, all at once in one worker process.
    Inflight,
    /// From a cancellation to the end of the model's socket.
    Cancel,
    /// From a message that interrupts to the next request to the model.
    Steer,
}

impl Scenario {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enqueue => "enqueue",
            Self::Drain => "drain",
            Self::Dispatch => "dispatch",
            Self::Turns => "turns",
            Self::Inflight => "inflight",
            Self::Cancel => "cancel",
            Self::Steer => "steer",
        }
    }

    /// Its figures can be compared with what minimal scripts do.
    #[must_use]
    pub fn has_ceiling(self) -> bool {
        matches!(self, Self::Enqueue | Self::Drain)
    }

    /// Tasks of a repeat when nobody says how many.
    #[must_use]
    pub fn default_tasks(self) -> u64 {
        match self {
            Self::Enqueue | Self::Drain => 50_000,
            Self::Dispatch => 500,
            Self::Turns => 10,
            Self::Inflight => 10_000,
            Self::Cancel | Self::Steer => 1_000,
        }
    }

    /// Calls or runs at once when nobody says how many.
    #[must_use]
    pub fn default_concurrency(self) -> usize {
        match self {
            Self::Enqueue => 48,
            Self::Drain => 100,
            Self::Dispatch | Self::Turns | Self::Cancel | Self::Steer => 1,
            Self::Inflight => 10_000,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where it is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A private `redis-server` with an append-only file, synced every second.
    Private,
    /// A Redis that is there, in a namespace of its own that is removed afterwards.
    Redis(String),
}

/// One call of the load generator.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is measured.
    pub scenario: Scenario,
    /// Where.
    pub target: Target,
    /// Tasks of a repeat.
    pub tasks: u64,
    /// Calls at once, or tasks in flight.
    pub concurrency: usize,
    /// REST calls at once, each on a connection of its own.
    pub connections: usize,
    /// How often it is measured.
    pub repeats: usize,
    /// Tasks of a repeat before the first, which is not counted; 0 for none.
    pub warm_up: u64,
    /// Bytes of a task's payload.
    pub payload_bytes: usize,
    /// Turns of a run, for scenarios that have turns.
    pub turns: u32,
    /// How long the simulated model lets a call wait, where that is part of the scenario.
    pub model_latency: Duration,
    /// Bytes that a turn adds to its conversation: half in the call, half in its result.
    pub turn_bytes: usize,
    /// Measure the ceilings before every repeat.
    pub ceiling: bool,
}

impl Options {
    /// The usual figures of a scenario.
    #[must_use]
    pub fn new(scenario: Scenario, target: Target) -> Self {
        Self {
            scenario,
            target,
            tasks: scenario.default_tasks(),
            concurrency: scenario.default_concurrency(),
            connections: 64,
            repeats: 3,
            warm_up: scenario.default_tasks() / 10,
            payload_bytes: 200,
            turns: 40,
            model_latency: Duration::from_secs(2),
            turn_bytes: 1_280,
            ceiling: false,
        }
    }
}

/// Clock, ids, the wish to stop, and the program that becomes the other processes.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Microseconds since the Unix epoch, comparable between processes of this machine.
    pub clock: fn() -> u64,
    /// Makes ids.
    pub unique: fn() -> Ulid,
    /// Ends the run early; what was started is ended and what was written removed.
    pub stop: CancellationToken,
    /// The executable.
    pub program: PathBuf,
    /// Arguments that make it call [`crate::run_role`].
    pub role_args: Vec<String>,
}
