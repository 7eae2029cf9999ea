//! Heartbeats and signals, on a thread and a runtime of their own: code of a tool that blocks a thread cannot starve them.

use std::{sync::Arc, thread, time::Duration};

use factorial_core::{
    AgentAnnouncement, Signal, Store, StoreOptions, WorkerAnnouncement, WorkerId,
};
use factorial_service::Progress;
use metrics::histogram;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{held::HeldTasks, metrics as names, options::WorkerOptions, runner::Runner};

/// How often agents are announced again: they stay known without that, so it only tells that they are served.
const ANNOUNCE_AGENTS_EVERY: Duration = Duration::from_secs(60);

/// Before a beat that did not reach all leases is repeated.
const RENEW_AGAIN: Duration = Duration::from_millis(250);

/// What the thread needs.
pub(crate) struct Heartbeat {
    pub(crate) store: StoreOptions,
    pub(crate) options: WorkerOptions,
    pub(crate) worker: WorkerId,
    pub(crate) version: &'static str,
    pub(crate) runners: Arc<[Arc<Runner>]>,
    pub(crate) held: HeldTasks,
    pub(crate) drain: CancellationToken,
    pub(crate) stop: CancellationToken,
    pub(crate) progress: Progress,
}

impl Heartbeat {
    /// Starts the thread; it ends after `stop`, when the worker is retired.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        self,
        first_beat: tokio::sync::oneshot::Sender<()>,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || runtime.block_on(self.beat(first_beat)))
    }

    async fn beat(self, first_beat: tokio::sync::oneshot::Sender<()>) {
        let Some(store) = self.connect().await else {
            return;
        };
        let started_ms = store.now_ms().await.unwrap_or(0);
        let agents: Vec<AgentAnnouncement> =
            self.runners.iter().map(|r| r.announcement()).collect();
        let mut signals = store.signals(&self.worker, self.stop.clone());
        let mut ticks = tokio::time::interval(self.options.heartbeat_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut first_beat = Some(first_beat);
        let mut agents_announced: Option<Instant> = None;
        let mut draining = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => break,
                signal = signals.recv() => match signal {
                    Some(Signal::Cancel(id)) => { self.held.cancel(&id); continue }
                    Some(Signal::Interrupt(id)) => { self.held.interrupt(&id); continue }
                    Some(Signal::Watch(id)) => { self.held.watch(&id); continue }
                    // Something may have been missed: look at once.
                    Some(Signal::Reconnected) => agents_announced = None,
                    None => break,
                },
                // Announced at once; from then on the regular beats say so.
                () = self.drain.cancelled(), if !draining => draining = true,
            }
            if !self.renew(&store).await {
                // The next beat may be too late.
                ticks.reset_after(RENEW_AGAIN);
            }
            let announcement = self.announcement(started_ms);
            let ttl = self.options.lease.max(self.options.heartbeat_interval * 3);
            let known = agents_announced.is_some_and(|at| at.elapsed() < ANNOUNCE_AGENTS_EVERY);
            let also: &[AgentAnnouncement] = if known { &[] } else { &agents };
            match store.announce(&announcement, also, ttl).await {
                Ok(()) => {
                    if !known {
                        agents_announced = Some(Instant::now());
                    }
                    if let Some(first) = first_beat.take() {
                        let _ = first.send(());
                    }
                }
                Err(error) => tracing::warn!(%error, "announcement failed"),
            }
        }
        if let Err(error) = store.retire(&self.worker).await {
            tracing::debug!(%error, "retirement failed; the announcement lapses by itself");
        }
        self.progress.finish();
    }

    async fn connect(&self) -> Option<Store> {
        // Its own connections: those of the other runtime would wait for that one's threads. Its own bound on a call:
        // with a connection that has fallen silent there has to be time for another try before the leases expire.
        let timeout = self.store.timeout.min(self.options.lease / 4);
        let options = StoreOptions {
            lanes: 1,
            timeout,
            ..self.store.clone()
        };
        loop {
            match Store::connect(&options).await {
                Ok(store) => return Some(store),
                Err(error) => tracing::warn!(%error, "heartbeat cannot connect"),
            }
            self.progress.tick();
            self.stop
                .run_until_cancelled(tokio::time::sleep(Duration::from_millis(500)))
                .await?;
        }
    }

    /// Renews all leases; false: some could not be.
    async fn renew(&self, store: &Store) -> bool {
        // Without Redis as well: a restart would lose the runs, and not bring it back.
        self.progress.tick();
        let started = Instant::now();
        let renewed = store.renew_each(&self.held.all(), self.options.lease).await;
        for lease in &renewed.lost {
            self.held.lose(&lease.held);
        }
        if let Some(error) = &renewed.failed {
            tracing::warn!(%error, "heartbeat failed");
            return false;
        }
        histogram!(names::HEARTBEAT_SECONDS).record(started.elapsed().as_secs_f64());
        true
    }

    fn announcement(&self, started_ms: u64) -> WorkerAnnouncement {
        WorkerAnnouncement {
            id: self.worker.clone(),
            host: self.options.host.clone(),
            pid: self.options.pid,
            version: self.version.to_owned(),
            started_ms,
            seen_ms: 0,
            draining: self.drain.is_cancelled(),
            agents: self.runners.iter().map(|r| r.in_use()).collect(),
        }
    }
}
