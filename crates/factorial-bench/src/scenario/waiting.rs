//! Tasks that all wait for a model which does not answer: what `cancel`, `steer` and `recovery` begin with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use factorial_core::{AgentName, TaskId};
use factorial_sim::{Behaviour, Sim, SimConfig, Stats};

use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::stage::Stage;
use crate::submit::{self, Load};

/// Longer than any measurement, so that nobody answers.
const NEVER: Duration = Duration::from_secs(24 * 3_600);
/// Between two looks at the model: the resolution of the figures.
const LOOK: Duration = Duration::from_micros(100);
/// How long it may take until all wait, and until the model sees something.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls at once that enqueue.
const AT_ONCE: usize = 48;

/// They, their model, and the worker that runs all of them.
pub(super) struct Waiting {
    pub(super) ids: Vec<TaskId>,
    pub(super) sim: Arc<Sim>,
    pub(super) worker: RoleProcess,
}

impl Waiting {
    /// Starts as many as a repeat has, and waits until the model has all their requests. It does not answer these,
    /// whatever it is told later.
    ///
    /// # Errors
    /// When one does not ask its model.
    pub(super) async fn start(stage: &Stage<'_>, agent: &AgentName) -> Result<Self, BenchError> {
        let never = NEVER.as_millis();
        let query = format!("[[sim:latency_ms={never}]]{}", stage.payload());
        Self::ask(stage, agent, query).await
    }

    /// The same with a query. The model answers no request until its behaviour is changed.
    ///
    /// # Errors
    /// When one does not ask its model.
    pub(super) async fn ask(
        stage: &Stage<'_>,
        agent: &AgentName,
        query: String,
    ) -> Result<Self, BenchError> {
        let tasks = stage.options.tasks;
        let config = SimConfig {
            history: 0,
            ..SimConfig::default()
        };
        let sim = Arc::new(Sim::start(config).await.map_err(BenchError::Model)?);
        let slots = usize::try_from(tasks).unwrap_or(usize::MAX);
        let worker = stage.worker(slots, Some(sim.base_url())).await?;
        sim.behave(Behaviour::latency(NEVER));
        stage.progress.begin("starting tasks", tasks);
        let ids = stage.ids(tasks);
        let (store, progress) = (&stage.store, stage.progress);
        let load = Load::new(agent, query);
        let running = submit::through_store(store, &load, ids, AT_ONCE, progress).await?;
        let waiting = Self {
            ids: running.ids,
            sim,
            worker,
        };
        let started = Instant::now();
        while waiting.sim.stats().current < tasks {
            if started.elapsed() > PATIENCE {
                return Err(waiting.stalled(waiting.sim.stats().current));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(waiting)
    }

    /// When the model saw it. Looked at from a thread of its own, since timers of the runtime are a millisecond wide.
    /// `done`: tasks before this one, for the error.
    ///
    /// # Errors
    /// When it does not see it in time.
    pub(super) async fn until(
        &self,
        done: u64,
        seen: impl Fn(&Stats) -> bool + Send + 'static,
    ) -> Result<Instant, BenchError> {
        let sim = Arc::clone(&self.sim);
        let look = move || {
            let started = Instant::now();
            while started.elapsed() < PATIENCE {
                if seen(&sim.stats()) {
                    return Some(Instant::now());
                }
                std::thread::sleep(LOOK);
            }
            None
        };
        let at = tokio::task::spawn_blocking(look).await?;
        at.ok_or_else(|| self.stalled(done))
    }

    fn stalled(&self, done: u64) -> BenchError {
        BenchError::Stalled {
            seconds: PATIENCE.as_secs(),
            done,
            tasks: self.ids.len() as u64,
            log: self.worker.log_tail(),
        }
    }
}
