//! Claiming: one loop per partition fills free slots, and waits for a wake-up when the queues are empty.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use factorial_core::{AgentName, ClaimRequest, Partition, StoreError, Waiter, WorkerId};
use factorial_service::Progress;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::{
    execute::{Context, execute},
    runner::Runner,
};

/// How often a worker that waits looks for work itself: what a lost wake-up costs at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long the end of a wait may take before its connection counts as half open.
const END_WITHIN: Duration = Duration::from_millis(1_500);
/// Before a wait is ended again that had not begun.
const UNBLOCK_AGAIN: Duration = Duration::from_millis(5);
/// After an error, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Tasks of one claim: bounds the time of the script.
const MOST_CLAIMED: usize = 64;

/// One partition's loop.
pub(crate) struct Fetcher {
    pub(crate) context: Context,
    pub(crate) worker: WorkerId,
    pub(crate) partition: Partition,
    pub(crate) runners: Arc<[Arc<Runner>]>,
    /// A runner that was full has a free slot.
    pub(crate) freed: Arc<Notify>,
    pub(crate) runs: TaskTracker,
    pub(crate) progress: Progress,
    /// Number of the next claim. One without an answer keeps its number, so that what it leased is not lost.
    pub(crate) calls: AtomicU64,
}

impl Fetcher {
    /// Runs until drain.
    pub(crate) async fn run(self) {
        let mut waiter = self.context.store.waiter(self.partition);
        let mut pause = FIRST_PAUSE;
        let mut empty = Vec::new();
        let drain = self.context.drain.clone();
        while !drain.is_cancelled() {
            self.progress.tick();
            match self.step(&mut waiter, &mut empty).await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(%error, partition = self.partition.0, "claiming failed");
                    // A wait that goes on there could take tokens.
                    waiter.reset();
                    drain.run_until_cancelled(tokio::time::sleep(pause)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        self.progress.finish();
    }

    /// `empty`: agents whose queues were seen empty. What came since has left a token, for which the wait looks.
    async fn step(
        &self,
        waiter: &mut Waiter,
        empty: &mut Vec<AgentName>,
    ) -> Result<(), StoreError> {
        // Registered before looking, so that a slot that is freed meanwhile is not missed.
        let freed = self.freed.notified();
        tokio::pin!(freed);
        freed.as_mut().enable();
        let drain = &self.context.drain;
        let waiting: Vec<AgentName> = self
            .runners
            .iter()
            .filter(|r| r.free() > 0)
            .map(|r| r.name.clone())
            .collect();
        if waiting.is_empty() {
            tokio::select! {
                () = freed => {}
                () = drain.cancelled() => {}
                // Only for the health check: there is nothing to look for without a slot.
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            return Ok(());
        }
        let seen = std::mem::take(empty);
        if waiting.iter().any(|agent| !seen.contains(agent)) && self.fill().await? {
            return Ok(());
        }
        let id = waiter.ready().await?;
        let wait = waiter.wait(&waiting);
        tokio::pin!(wait);
        loop {
            tokio::select! {
                woken = &mut wait => {
                    let more = match woken? {
                        // First the one that was called: the others have tokens of their own.
                        Some(agent) => match self.runners.iter().find(|r| r.name == agent) {
                            Some(runner) => self.claim(runner).await?,
                            None => false,
                        },
                        None => self.left_behind(&waiting).await?,
                    };
                    if !more {
                        empty.clone_from(&waiting);
                    }
                    return Ok(());
                }
                () = &mut freed => break,
                () = drain.cancelled() => break,
                () = tokio::time::sleep(LOOK_EVERY) => if self.left_behind(&waiting).await? { break },
            }
        }
        // The wait may take a token at any moment, so it is ended from outside and its end awaited, not dropped.
        if !drain.is_cancelled() {
            self.fill().await?;
        }
        let end = async {
            loop {
                match self.context.store.unblock(&id).await {
                    // It may not have reached Redis yet: left alone it would go on, and not for the agent whose slot
                    // was freed.
                    Ok(false) => tokio::select! {
                        biased;
                        ended = &mut wait => return ended.map(drop),
                        () = tokio::time::sleep(UNBLOCK_AGAIN) => {}
                    },
                    Ok(true) => break,
                    Err(error) => {
                        // Not every server can: there it ends by itself within a second.
                        tracing::debug!(%error, "wait not ended early");
                        break;
                    }
                }
            }
            wait.await.map(drop)
        };
        tokio::time::timeout(END_WITHIN, end)
            .await
            .unwrap_or_else(|_| Err(StoreError::silent("a wait does not end")))
    }

    /// Whether there is work although nobody called: a token can be lost with its taker.
    async fn left_behind(&self, agents: &[AgentName]) -> Result<bool, StoreError> {
        let queued = self
            .context
            .store
            .has_queued(self.partition, agents)
            .await?;
        self.progress.tick();
        Ok(queued)
    }

    /// Claims for every runner with free slots. True: there may be more to claim at once.
    async fn fill(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for runner in self.runners.iter() {
            more |= self.claim(runner).await?;
        }
        Ok(more)
    }

    /// Claims for a runner with free slots. True: there may be more to claim at once.
    async fn claim(&self, runner: &Arc<Runner>) -> Result<bool, StoreError> {
        let _one_at_a_time = runner.claiming.lock().await;
        let most = usize::try_from(runner.free())
            .unwrap_or(usize::MAX)
            .min(MOST_CLAIMED);
        if most == 0 || self.context.drain.is_cancelled() {
            return Ok(false);
        }
        let request = ClaimRequest {
            partition: self.partition,
            worker: &self.worker,
            agent: &runner.name,
            most,
            lease: self.context.lease,
            number: self.calls.load(Ordering::Relaxed),
        };
        let claimed = self.context.store.claim(request).await?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        if claimed.is_empty() {
            return Ok(false);
        }
        let more = claimed.len() == most;
        for task in claimed {
            // Of another agent if a call was repeated that had asked for that one.
            let of = |r: &&Arc<Runner>| r.name == task.record.agent;
            let runner = self.runners.iter().find(of).unwrap_or(runner);
            let waited = Duration::from_millis(task.claimed_ms.saturating_sub(task.ready_ms));
            runner.meters.claimed(waited);
            let slot = runner.occupy(&self.freed);
            let run = execute(self.context.clone(), slot, Box::new(task));
            // In a place of its own: what is spawned is moved more than once.
            self.runs.spawn(Box::pin(run));
        }
        Ok(more)
    }
}
