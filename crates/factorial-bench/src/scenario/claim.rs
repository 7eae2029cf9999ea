//! What a claim costs as the queue grows: few and many tasks, of one and of many owners, in turn.
//!
//! Every mixture is the queue of an agent of its own, all in one namespace, so that they share the server as it is.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use factorial_core::{AgentName, ClaimRequest, TaskId, TaskState, WorkerId};

use super::Done;
use crate::aim::Aim;
use crate::delivery::counted;
use crate::error::BenchError;
use crate::progress::{Progress, Silent};
use crate::report::Measure;
use crate::stage::Stage;
use crate::stats::{median, millis};
use crate::submit::{self, Load};

/// Tasks in the small queues.
const FEW: u64 = 1_000;
/// Tasks of a claim, as a worker of default size takes them at most.
const CLAIMED: usize = 25;
/// Claims between two looks at the server.
const CALLS: u64 = 20;
/// Looks at each mixture.
const LOOKS: u64 = 40;
/// Tasks of a call that fills a queue, and such calls at once.
const GROUP: usize = 50;
const AT_ONCE: usize = 16;
/// Longer than the measurement: nobody renews these leases.
const LEASE: Duration = Duration::from_secs(86_400);
/// The dearest mixture compared with the cheapest.
const MOST_RATIO: f64 = 1.15;

/// A queue, and what its claims have cost.
struct Mixture {
    name: String,
    load: Load,
    /// Tasks that it is filled to.
    size: u64,
    accepted: u64,
    claimed: u64,
    cpu_us: Vec<f64>,
    calls_ms: Vec<f64>,
}

/// Fills the queues, and claims from one after the other, each filled up again in between.
pub(super) async fn claim(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let many = stage.options.tasks;
    let few = FEW.min((many / 10).max(1));
    let mut mixtures = Vec::new();
    for size in [few, many] {
        for owners in [1, stage.options.owners.clamp(2, size.max(2))] {
            mixtures.push(Mixture::new(stage, size, owners)?);
        }
    }
    for mixture in &mut mixtures {
        stage
            .progress
            .begin(&mixture.name, mixture.size.div_ceil(GROUP as u64));
        mixture.fill(stage).await?;
    }
    stage.progress.begin("claiming", LOOKS);
    // Never more than half of a small queue between two fillings.
    let calls = (few / 2 / CLAIMED as u64).clamp(1, CALLS);
    let (worker, mut number, mut seen) = (WorkerId::new("bench-claims")?, 0, HashSet::new());
    for look in 1..=LOOKS {
        for mixture in &mut mixtures {
            mixture
                .look(stage, &worker, calls, &mut number, &mut seen)
                .await?;
        }
        for mixture in &mut mixtures {
            mixture.fill(stage).await?;
        }
        stage.progress.reach(look);
    }
    for mixture in &mixtures {
        mixture.check(stage).await?;
    }
    Ok(Done {
        measures: figures(&mixtures),
        checked: mixtures.iter().map(|m| m.claimed).sum(),
    })
}

impl Mixture {
    fn new(stage: &Stage<'_>, size: u64, owners: u64) -> Result<Self, BenchError> {
        let agent = AgentName::new(format!("claim-{size}-{owners}"))?;
        let plural = if owners == 1 { "" } else { "s" };
        Ok(Self {
            name: format!("{size} queued, {owners} owner{plural}"),
            load: Load {
                owners,
                ..Load::new(&agent, stage.payload())
            },
            size,
            accepted: 0,
            claimed: 0,
            cpu_us: Vec::new(),
            calls_ms: Vec::new(),
        })
    }

    /// Up to its size.
    async fn fill(&mut self, stage: &Stage<'_>) -> Result<(), BenchError> {
        let missing = self.size - (self.accepted - self.claimed);
        let (ids, store) = (stage.ids(missing), &stage.store);
        let progress: &dyn Progress = if self.accepted == 0 {
            stage.progress
        } else {
            // Between claims, whose progress is shown.
            &Silent
        };
        submit::in_bulk(store, &self.load, ids, GROUP, AT_ONCE, progress).await?;
        self.accepted += missing;
        Ok(())
    }

    async fn look(
        &mut self,
        stage: &Stage<'_>,
        worker: &WorkerId,
        calls: u64,
        number: &mut u64,
        seen: &mut HashSet<TaskId>,
    ) -> Result<(), BenchError> {
        let before = stage.server.sample().await?;
        let partitions: Vec<_> = stage.store.all_partitions().collect();
        let calls_of_look = usize::try_from(calls).unwrap_or(usize::MAX);
        for partition in partitions.into_iter().cycle().take(calls_of_look) {
            *number += 1;
            let request = ClaimRequest {
                partition,
                worker,
                agent: &self.load.agent,
                most: CLAIMED,
                lease: LEASE,
                number: *number,
            };
            let called = Instant::now();
            let claimed = stage.store.claim(request).await?;
            self.calls_ms.push(millis(called.elapsed()));
            self.claimed += claimed.len() as u64;
            for task in claimed {
                if let Some(again) = seen.replace(task.held.id) {
                    let text = format!("task {again} was claimed twice");
                    return Err(BenchError::Delivery(text));
                }
            }
        }
        let after = stage.server.sample().await?;
        self.cpu_us.push(after.cpu_since(&before, calls));
        Ok(())
    }

    /// Every task that was accepted is queued, or was claimed once.
    async fn check(&self, stage: &Stage<'_>) -> Result<(), BenchError> {
        let counts = stage.store.counts().await?;
        let of = |state| counts.get(&(self.load.agent.clone(), state)).copied();
        let (queued, running) = (of(TaskState::Queued), of(TaskState::Processing));
        let expected = (Some(self.accepted - self.claimed), Some(self.claimed));
        if (queued, running) != expected {
            let text = format!("{}: {queued:?} queued, {running:?} claimed", self.name);
            return Err(BenchError::Delivery(text));
        }
        let happened = [("enqueued", self.accepted), ("claimed", self.claimed)];
        counted(&stage.store, &self.load.agent, &happened).await
    }
}

/// Of each mixture, and each compared with the cheapest.
fn figures(mixtures: &[Mixture]) -> Vec<Measure> {
    let costs: Vec<f64> = mixtures.iter().map(|m| median(&m.cpu_us)).collect();
    let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
    let mut measures = Vec::new();
    for (mixture, cost) in mixtures.iter().zip(&costs) {
        let name = |what: &str| format!("{}: {what}", mixture.name);
        measures.push(Measure::new(name("redis cpu"), "µs/claim", *cost));
        let call = median(&mixture.calls_ms);
        measures.push(Measure::new(name("call p50"), "ms", call));
    }
    for (mixture, cost) in mixtures.iter().zip(&costs) {
        let name = format!("{}: redis cpu / least", mixture.name);
        let ratio = Measure::new(name, "×", cost / least.max(f64::EPSILON));
        measures.push(ratio.aim(Aim::AtMost(MOST_RATIO)));
    }
    measures
}
