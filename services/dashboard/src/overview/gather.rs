//! Reads all that an overview shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_api::{AgentActivity, Overview, StatusCounts, TaskStatus, Time, Window};
use factorial_core::{
    AgentName, Bucket, Counts, Oldest, Store, StoreError, TaskState, WorkerAnnouncement,
};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::{Mutex, Semaphore};

use super::{
    history::History,
    percentiles::percentiles,
    sums::{self, Slices},
};

/// An overview serves all who ask for it within this time.
const FRESH: Duration = Duration::from_millis(500);
/// Overviews that are kept.
const MOST_KEPT: usize = 64;
/// Agents that are read at the same time.
const AT_ONCE: usize = 8;
/// Owners of an agent that are looked at for its oldest task.
const MOST_OWNERS: usize = 20_000;
/// As long as nothing is known, an overview looks at so many of them itself.
const FIRST_OWNERS: usize = 250;
/// The last minutes, in which tasks completed are counted for their rate.
const RECENT: u64 = 5;
/// What is over is read at least so often, so that whoever looks first finds it read.
const KEPT_UP: Duration = Duration::from_secs(600);
/// After Redis did not answer.
const AGAIN: Duration = Duration::from_secs(1);
/// Queues looked at for the oldest task of an agent, in a second: one with many is looked at less often.
const QUEUES_A_SECOND: usize = 500;
/// An overview waits so long for the oldest task of an agent.
const WAITED_FOR: Duration = Duration::from_millis(20);
/// A search that has found nothing after so long is begun again.
const GIVEN_UP: Duration = Duration::from_secs(60);

type Ages = std::sync::Mutex<BTreeMap<AgentName, (Instant, Option<u64>)>>;
type Asked = (Window, Option<AgentName>);

/// Overviews of a namespace.
pub(crate) struct Overviews {
    store: Store,
    history: History,
    /// Since when the oldest queued task of an agent waits, and when to look again.
    oldest: Arc<Ages>,
    searching: Arc<Semaphore>,
    /// Held while one is made, so that those who ask for the same get the same.
    made: Mutex<BTreeMap<Asked, (Instant, Arc<Overview>)>>,
}

/// What a worker offers, all agents together or one.
#[derive(Default)]
struct Slots {
    workers: u32,
    slots: u64,
    running: u64,
}

impl Overviews {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            history: History::default(),
            oldest: Arc::default(),
            searching: Arc::new(Semaphore::new(1)),
            made: Mutex::default(),
        }
    }

    /// The overview of a window, of all agents or one; `None` when there is no such agent.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(crate) async fn get(
        &self,
        window: Window,
        agent: Option<&AgentName>,
    ) -> Result<Option<Arc<Overview>>, StoreError> {
        let asked = (window, agent.cloned());
        let mut made = self.made.lock().await;
        if let Some((at, overview)) = made.get(&asked)
            && at.elapsed() < FRESH
        {
            return Ok(Some(Arc::clone(overview)));
        }
        let Some(overview) = self.make(window, agent).await? else {
            return Ok(None);
        };
        let overview = Arc::new(overview);
        if made.len() >= MOST_KEPT {
            made.retain(|_, (at, _)| at.elapsed() < FRESH);
        }
        made.insert(asked, (Instant::now(), Arc::clone(&overview)));
        Ok(Some(overview))
    }

    /// Reads what is over before anybody asks for it: the first look at a week would wait for thousands of hours.
    pub(crate) async fn keep_up(&self) {
        loop {
            let pause = match self.make(Window::Week, None).await {
                Ok(_) => KEPT_UP,
                Err(error) => {
                    tracing::debug!(%error, "history not read");
                    AGAIN
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn make(
        &self,
        window: Window,
        only: Option<&AgentName>,
    ) -> Result<Option<Overview>, StoreError> {
        let store = &self.store;
        let (now_ms, counts, workers, names) = futures::try_join!(
            store.now_ms(),
            store.counts(),
            store.workers(),
            store.agent_names(),
        )?;
        self.history.forget(now_ms);
        // An agent that was never announced can have tasks all the same.
        let mut names: BTreeSet<AgentName> = names.into_iter().collect();
        names.extend(counts.keys().map(|(agent, _)| agent.clone()));
        if let Some(only) = only {
            if !names.contains(only) {
                return Ok(None);
            }
            names.retain(|name| name == only);
        }
        let paused = store.paused(&names).await?;
        let (counts, history) = (&counts, &self.history);
        let reads = names.iter().cloned().map(|name| async move {
            let slices = history.window(store, &name, window, now_ms).await?;
            let recent = history.recent(store, &name, RECENT, now_ms).await?;
            let oldest = self.oldest(&name, counts).await?;
            Ok::<_, StoreError>((name, slices, recent, oldest))
        });
        let read: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let mut all: Option<Slices> = None;
        let mut agents = Vec::with_capacity(read.len());
        let mut oldest = None;
        let mut per_minute = 0.0;
        for (name, slices, recent, oldest_ms) in read {
            let minutes = now_ms.saturating_sub(recent.start_ms) as f64 / 60_000.0;
            per_minute += sums::totals(&recent).completed as f64 / minutes.max(1.0);
            oldest = earliest(oldest, oldest_ms);
            let offered = offered(&workers, Some(&name));
            let activity = agent(&name, &slices.sum(), &offered, counts, oldest_ms);
            agents.push(AgentActivity {
                paused: paused.contains(&name),
                ..activity
            });
            match &mut all {
                Some(all) => all.merge(&slices),
                None => all = Some(slices),
            }
        }
        let all = match all {
            Some(all) => all,
            // No agent: nothing happened.
            None => {
                let nobody = AgentName::new("0").map_err(|e| StoreError::Corrupt {
                    place: "agent",
                    detail: e.to_string(),
                })?;
                self.history.window(store, &nobody, window, now_ms).await?
            }
        };
        let served = names
            .iter()
            .filter(|name| offered(&workers, Some(name)).workers > 0);
        let sum = all.sum();
        let totals = sums::totals(&sum);
        let offered = offered(&workers, only);
        Ok(Some(Overview {
            at: time(now_ms),
            window,
            workers: offered.workers,
            workers_draining: number(workers.iter().filter(|w| w.draining).count()),
            slots: offered.slots,
            running: offered.running,
            agents_served: number(served.count()),
            counts: status_counts(counts, only),
            oldest_queued_at: oldest.map(time),
            success_rate: sums::success_rate(&totals),
            completed_per_minute: (per_minute * 100.0).round() / 100.0,
            totals,
            queue_wait: percentiles(&sum.wait),
            run_time: percentiles(&sum.run),
            models: sums::models(&sum.models),
            activity: all.activity(),
            agents,
        }))
    }

    /// Since when the oldest queued task of an agent waits, as far as that is known by now: with many owners it takes its
    /// time to find out, and nobody is kept waiting for it. At first it is the oldest of some owners.
    async fn oldest(&self, name: &AgentName, counts: &Counts) -> Result<Option<u64>, StoreError> {
        let queued = counts.get(&(name.clone(), TaskState::Queued));
        if queued.is_none_or(|tasks| *tasks == 0) {
            lock(&self.oldest).remove(name);
            return Ok(None);
        }
        let (again, mut known) = match lock(&self.oldest).get(name) {
            Some((again, ready_ms)) => (Instant::now() >= *again, *ready_ms),
            None => (true, None),
        };
        if known.is_none() {
            let found = self.store.oldest_queued(name, FIRST_OWNERS).await?;
            known = found.ready_ms;
            if found.all {
                lock(&self.oldest).insert(name.clone(), (next_look(&found), known));
                return Ok(known);
            }
        }
        if !again {
            return Ok(known);
        }
        // Nobody else begins before it has been found.
        lock(&self.oldest).insert(name.clone(), (Instant::now() + GIVEN_UP, known));
        let search = tokio::spawn(find(
            self.store.clone(),
            name.clone(),
            Arc::clone(&self.oldest),
            Arc::clone(&self.searching),
        ));
        match tokio::time::timeout(WAITED_FOR, search).await {
            Ok(found) => found.unwrap_or(Ok(known)),
            Err(_) => Ok(known),
        }
    }
}

/// Looks for the oldest queued task of an agent, and says when to look again.
async fn find(
    store: Store,
    name: AgentName,
    oldest: Arc<Ages>,
    searching: Arc<Semaphore>,
) -> Result<Option<u64>, StoreError> {
    let _one_at_a_time = searching.acquire().await;
    let found = store.oldest_queued(&name, MOST_OWNERS).await?;
    lock(&oldest).insert(name, (next_look(&found), found.ready_ms));
    Ok(found.ready_ms)
}

fn next_look(found: &Oldest) -> Instant {
    let pause = Duration::from_secs_f64(found.queues as f64 / QUEUES_A_SECOND as f64);
    Instant::now() + pause.max(FRESH)
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn agent(
    name: &AgentName,
    sum: &Bucket,
    offered: &Slots,
    counts: &Counts,
    oldest_ms: Option<u64>,
) -> AgentActivity {
    let totals = sums::totals(sum);
    AgentActivity {
        name: name.to_string(),
        workers: offered.workers,
        slots: offered.slots,
        running: offered.running,
        paused: false,
        counts: status_counts(counts, Some(name)),
        success_rate: sums::success_rate(&totals),
        totals,
        queue_wait: percentiles(&sum.wait),
        run_time: percentiles(&sum.run),
        models: sums::models(&sum.models),
        oldest_queued_at: oldest_ms.map(time),
    }
}

/// Slots of workers that take new tasks; what the others run counts as well.
fn offered(workers: &[WorkerAnnouncement], only: Option<&AgentName>) -> Slots {
    let mut sum = Slots::default();
    for worker in workers {
        let agents = worker.agents.iter();
        let mut serves = false;
        for agent in agents.filter(|agent| only.is_none_or(|only| *only == agent.name)) {
            sum.running += u64::from(agent.running);
            if !worker.draining {
                serves = true;
                sum.slots += u64::from(agent.slots);
            }
        }
        sum.workers += u32::from(serves);
    }
    sum
}

/// Tasks by state, of all agents or one.
pub(crate) fn status_counts(counts: &Counts, only: Option<&AgentName>) -> StatusCounts {
    let mut sum = StatusCounts::default();
    for ((agent, state), tasks) in counts {
        if only.is_none_or(|only| only == agent) {
            sum.add(status(*state), *tasks);
        }
    }
    sum
}

fn status(state: TaskState) -> TaskStatus {
    match state {
        TaskState::Scheduled => TaskStatus::Scheduled,
        TaskState::Queued => TaskStatus::Queued,
        TaskState::Processing => TaskStatus::Processing,
        TaskState::Backoff => TaskStatus::Backoff,
        TaskState::PendingToolResults => TaskStatus::PendingToolResults,
        TaskState::PendingChildTasks => TaskStatus::PendingChildTasks,
        TaskState::Completed => TaskStatus::Completed,
        TaskState::Failed => TaskStatus::Failed,
        TaskState::Cancelled => TaskStatus::Cancelled,
    }
}

fn earliest(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// An instant on the wire.
pub(crate) fn time(ms: u64) -> Time {
    Time::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
