//! A deployment that is there, measured over REST alone, by tasks of one of its agents.
//!
//! Called by `run.rs`. Invariant: every task that was accepted has ended before there is a figure, or is cancelled when
//! there is none; nothing is written to its Redis but by its gateway.

mod act;
mod dispatch;
mod queue;

use std::time::Duration;

use factorial_api::{SubmitTask, TaskStatus};

use crate::catalogue::Scenario;
use crate::error::BenchError;
use crate::options::{Deployment, Options, Surroundings};
use crate::progress::Progress;
use crate::report::{Measure, Round};
use crate::rest::{self, Door, Ended, Mix};
use crate::server::Server;
use crate::stats::number;

/// What is asked when nobody says what.
const QUERY: &str = "Answer with the word ok. ";

/// The deployment, and who measures it.
pub(crate) struct Remote<'a> {
    deployment: &'a Deployment,
    surroundings: &'a Surroundings,
    version: String,
    /// For its figures alone.
    redis: Option<Server>,
}

/// One repeat.
struct Visit<'a> {
    options: &'a Options,
    agent: &'a str,
    query: String,
    door: Door,
    clock: fn() -> u64,
    progress: &'a dyn Progress,
}

/// What it gave.
struct Seen {
    measures: Vec<Measure>,
    tasks: u64,
}

impl<'a> Remote<'a> {
    /// Asks the gateway whether it is there and knows the agent.
    ///
    /// # Errors
    /// When it is not, or does not.
    pub(crate) async fn open(
        deployment: &'a Deployment,
        surroundings: &'a Surroundings,
    ) -> Result<Self, BenchError> {
        let door = Door::new(&deployment.url, deployment.api_key.as_deref(), "bench");
        let client = door.client()?;
        let unusable = |source| BenchError::Deployment {
            url: deployment.url.clone(),
            source,
        };
        let health = client.health().await.map_err(unusable)?;
        client.agent(&deployment.agent).await.map_err(unusable)?;
        let redis = match &deployment.redis_url {
            Some(url) => Some(Server::open(Some(url)).await?),
            None => None,
        };
        Ok(Self {
            deployment,
            surroundings,
            version: format!("{} {}", health.service, health.version),
            redis,
        })
    }

    /// Name and version of what answers.
    pub(crate) fn describe(&self) -> String {
        self.version.clone()
    }

    /// Measures once. Tasks are of an owner of their own. When it fails, those that were accepted are cancelled.
    ///
    /// # Errors
    /// When a call fails, or delivery is not exact.
    pub(crate) async fn round(
        &self,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<Round, BenchError> {
        let deployment = self.deployment;
        let owner = format!("bench-{}", (self.surroundings.unique)());
        let key = deployment.api_key.as_deref();
        let padding = || QUERY.chars().cycle().take(options.payload_bytes).collect();
        let visit = Visit {
            options,
            agent: &deployment.agent,
            query: deployment.query.clone().unwrap_or_else(padding),
            door: Door::new(&deployment.url, key, owner),
            clock: self.surroundings.clock,
            progress,
        };
        let before = match &self.redis {
            Some(redis) => Some(redis.sample().await?),
            None => None,
        };
        let seen = self.surroundings.unless_stopped(visit.measure()).await;
        if seen.is_err() {
            visit.door.cancel_open().await;
        }
        let Seen {
            mut measures,
            tasks,
        } = seen?;
        if let Some((redis, before)) = self.redis.as_ref().zip(before) {
            measures.extend(redis.sample().await?.cost_since(&before, tasks));
        }
        Ok(Round {
            ceiling: None,
            measures,
            checked: tasks,
        })
    }
}

impl Visit<'_> {
    async fn measure(&self) -> Result<Seen, BenchError> {
        match self.options.scenario {
            Scenario::Enqueue => queue::enqueue(self).await,
            Scenario::Drain => queue::drain(self).await,
            Scenario::Dispatch => dispatch::dispatch(self).await,
            Scenario::Cancel => act::cancel(self).await,
            Scenario::Steer => act::steer(self).await,
            Scenario::Stream => self.stream().await,
            Scenario::Soak => self.soak().await,
            other => Err(BenchError::Options(format!(
                "{other} cannot be measured by REST"
            ))),
        }
    }

    async fn stream(&self) -> Result<Seen, BenchError> {
        let (tasks, readers) = (self.options.tasks, self.options.concurrency);
        let task = SubmitTask {
            stream: true,
            ..self.task()
        };
        let (size, nothing) = ((tasks, readers), async || Ok(()));
        let streaming = rest::stream(&self.door, &task, size, self.clock, self.progress, nothing);
        let (streamed, ()) = streaming.await?;
        self.progress.begin("checking", tasks);
        let ends = rest::ends(&self.door, &streamed.ids, self.progress).await?;
        Ok(seen(streamed.measures, &ends))
    }

    async fn soak(&self) -> Result<Seen, BenchError> {
        let (clients, lasts) = (self.options.concurrency, self.options.duration);
        let mix = Mix::of(self.agent, &self.query);
        self.progress
            .begin("soaking", lasts.max(Duration::from_secs(1)).as_secs());
        let tally = rest::soak(&self.door, &mix, clients, lasts, self.progress).await?;
        Ok(Seen {
            measures: tally.measures(),
            tasks: tally.accepted,
        })
    }

    fn task(&self) -> SubmitTask {
        self.door.task(self.agent, self.query.clone())
    }
}

/// With how the tasks ended.
fn seen(mut measures: Vec<Measure>, ends: &[Ended]) -> Seen {
    let count = |is: fn(&Ended) -> bool| number(ends.iter().filter(|end| is(end)).count() as u64);
    let completed = count(|end| end.task.status == TaskStatus::Completed);
    let failed = count(|end| end.task.status == TaskStatus::Failed);
    let again = count(|end| end.task.attempts > 1);
    measures.push(Measure::new("ended as completed", "tasks", completed));
    measures.push(Measure::new("ended as failed", "tasks", failed));
    measures.push(Measure::new("more than one attempt", "tasks", again));
    Seen {
        measures,
        tasks: ends.len() as u64,
    }
}
