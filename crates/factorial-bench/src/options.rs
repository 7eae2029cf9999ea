//! What a caller asks for, and what the load generator takes from its surroundings.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::catalogue::Scenario;
use crate::error::BenchError;

/// Where it is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A private `redis-server` with an append-only file, synced every second.
    Private,
    /// A Redis that is there, in a namespace of its own that is removed afterwards.
    Redis(String),
    /// A deployment that is there, over REST alone.
    Gateway(Deployment),
}

/// A deployment as its clients see it.
#[derive(Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Base URL of its gateway.
    pub url: String,
    /// Sent as a bearer token.
    pub api_key: Option<String>,
    /// The agent that gets the tasks; it is run as often as there are tasks.
    pub agent: String,
    /// What each task asks; filled up to the size of the payload when absent.
    pub query: Option<String>,
    /// Its Redis, for figures of cost; nothing is written there.
    pub redis_url: Option<String>,
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the key nor the password in a URL.
        f.debug_struct("Deployment")
            .field("agent", &self.agent)
            .finish_non_exhaustive()
    }
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
    /// Calls at once, tasks in flight, or readers of streams.
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
    /// Partitions of the namespace.
    pub partitions: u16,
    /// How long it is measured, for scenarios that last.
    pub duration: Duration,
    /// Owners of the tasks, for scenarios that compare few with many.
    pub owners: u64,
    /// Measure the ceilings before every repeat.
    pub ceiling: bool,
}

impl Options {
    /// The usual figures of a scenario.
    #[must_use]
    pub fn new(scenario: Scenario, target: Target) -> Self {
        let tasks = match &target {
            Target::Gateway(_) => scenario.default_remote_tasks(),
            _ => scenario.default_tasks(),
        };
        Self {
            scenario,
            target,
            tasks,
            concurrency: scenario.default_concurrency(),
            connections: 64,
            repeats: scenario.default_repeats(),
            warm_up: if scenario.warms_up() { tasks / 10 } else { 0 },
            payload_bytes: 200,
            turns: 40,
            model_latency: Duration::from_secs(2),
            turn_bytes: 1_280,
            partitions: 1,
            duration: scenario.default_duration(),
            owners: 10_000,
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

impl Surroundings {
    /// Drops the work when somebody asks to stop, and with it the processes in it.
    ///
    /// # Errors
    /// Those of the work, and [`BenchError::Interrupted`].
    pub(crate) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, BenchError>>,
    ) -> Result<T, BenchError> {
        let done = self.stop.run_until_cancelled(work).await;
        done.unwrap_or(Err(BenchError::Interrupted))
    }
}
