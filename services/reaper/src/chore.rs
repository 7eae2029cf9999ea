//! What a chore is, and the loop that drives it.
//!
//! A round does all that is due in all partitions and says when the next work is due; the loop sleeps until then, or
//! until the interval has passed, or until it is called.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use factorial_core::{ChoreReport, Partition, Store, StoreError};
use factorial_service::Progress;
use futures::future::join_all;
use metrics::{counter, gauge, histogram};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{metrics as names, options::ReaperOptions};

/// After an error, at first; doubled up to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Never sleep less, so that a task that is due in the same millisecond does not spin.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// Between two notes of its success.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What a round did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// Tasks that it changed.
    pub(crate) count: u64,
    /// When there is more to do, if that is known.
    pub(crate) next: Option<Duration>,
    /// Why it was not done in every partition.
    pub(crate) failed: Option<StoreError>,
}

impl Round {
    /// From the rounds of partitions: a server that is away keeps nothing waiting that is elsewhere.
    pub(crate) fn of(parts: Vec<Result<Self, StoreError>>) -> Self {
        let mut all = Self::default();
        for part in parts {
            match part {
                Ok(part) => all.add(part.count, part.next),
                Err(error) => all.failed = Some(error),
            }
        }
        all
    }

    /// Adds a step; the earliest next work counts.
    pub(crate) fn add(&mut self, count: u64, next: Option<Duration>) {
        self.count += count;
        self.next = match (self.next, next) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Does a step in every partition, at the same time.
pub(crate) async fn everywhere<F>(store: &Store, step: impl Fn(Partition) -> F) -> Round
where
    F: Future<Output = Result<Round, StoreError>>,
{
    Round::of(join_all(store.all_partitions().map(step)).await)
}

/// One kind of maintenance.
#[async_trait]
pub(crate) trait Chore: Send + Sync {
    /// Its name in logs and metrics.
    fn name(&self) -> &'static str;

    /// Does what is due now.
    async fn round(&mut self, store: &Store, options: &ReaperOptions) -> Result<Round, StoreError>;
}

/// What drives a chore.
pub(crate) struct Driver {
    pub(crate) store: Store,
    pub(crate) options: ReaperOptions,
    /// Bounds the chores at work at the same time.
    pub(crate) at_work: Arc<Semaphore>,
    /// Ends a sleep early.
    pub(crate) call: Arc<Notify>,
    pub(crate) stop: CancellationToken,
    pub(crate) progress: Progress,
}

impl Driver {
    /// Runs until `stop`; a round that is under way is finished.
    pub(crate) async fn run(self, mut chore: impl Chore) {
        let mut log = Log::default();
        let mut pause = FIRST_PAUSE;
        while !self.stop.is_cancelled() {
            let done = self.round(&mut chore).await;
            // Also of one that failed: without Redis a restart would not help.
            self.progress.tick();
            let sleep = match done {
                Ok((round, took)) => {
                    let next = round.next.unwrap_or(self.options.interval);
                    match round.failed {
                        Some(error) => next.min(self.failed(chore.name(), &error, &mut pause)),
                        None => {
                            log.write(&self, chore.name(), round.count, took).await;
                            pause = FIRST_PAUSE;
                            next.min(self.options.interval)
                        }
                    }
                }
                Err(error) => self.failed(chore.name(), &error, &mut pause),
            };
            tokio::select! {
                () = tokio::time::sleep(sleep.max(SHORTEST_SLEEP)) => {}
                () = self.call.notified() => {}
                () = self.stop.cancelled() => {}
            }
        }
        self.progress.finish();
    }

    /// Counts an error, and says how long to pause.
    fn failed(&self, chore: &'static str, error: &StoreError, pause: &mut Duration) -> Duration {
        counter!(names::CHORE_ERRORS, "chore" => chore).increment(1);
        tracing::warn!(chore, %error, "chore failed");
        let now = (*pause).min(self.options.interval);
        *pause = (now * 2).min(self.options.interval);
        now
    }

    async fn round(&self, chore: &mut impl Chore) -> Result<(Round, Duration), StoreError> {
        let _permit = self.at_work.acquire().await;
        let started = Instant::now();
        let round = chore.round(&self.store, &self.options).await?;
        let took = started.elapsed();
        histogram!(names::CHORE_SECONDS, "chore" => chore.name()).record(took.as_secs_f64());
        counter!(names::CHORE_TASKS, "chore" => chore.name()).increment(round.count);
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        if round.failed.is_none() {
            gauge!(names::CHORE_SUCCESS, "chore" => chore.name()).set(unix.as_secs_f64());
        }
        if round.count > 0 {
            tracing::debug!(
                chore = chore.name(),
                count = round.count,
                "chore did something"
            );
        }
        Ok((round, took))
    }
}

/// What a chore tells to whoever looks at the namespace: at most once a second.
#[derive(Default)]
struct Log {
    written: Option<Instant>,
    done: u64,
}

impl Log {
    async fn write(&mut self, driver: &Driver, name: &str, done: u64, took: Duration) {
        self.done += done;
        if self.written.is_some_and(|at| at.elapsed() < REPORT_EVERY) {
            return;
        }
        let report = ChoreReport {
            took,
            done: self.done,
            interval: driver.options.interval,
        };
        match driver.store.report_chore(name, report).await {
            Ok(()) => {
                self.done = 0;
                self.written = Some(Instant::now());
            }
            Err(error) => tracing::debug!(chore = name, %error, "success of a chore not noted"),
        }
    }
}
