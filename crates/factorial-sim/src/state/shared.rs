//! The one state behind all handlers.
//!
//! Invariant: one lock, held for a few field accesses and never across an await.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::flight::Flight;
use super::record::{RequestRecord, Ring, Seen};
use super::schedule::{Schedule, Source, Verdict};
use super::stats::Stats;
use crate::behaviour::Behaviour;
use crate::config::SimConfig;

#[derive(Debug)]
pub(crate) struct Shared {
    models: Vec<String>,
    pub(crate) max_body_bytes: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    stats: Stats,
    ring: Ring,
    schedule: Schedule,
    /// Requests since the start; a reset does not touch it, so that a record is never mistaken for an older one.
    sequence: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Status(u16),
    Broken,
    ClosedEarly,
}

impl Shared {
    pub(crate) fn new(config: SimConfig) -> Arc<Self> {
        Arc::new(Self {
            models: config.models,
            max_body_bytes: config.max_body_bytes,
            inner: Mutex::new(Inner {
                stats: Stats::default(),
                ring: Ring::new(config.history),
                schedule: Schedule::new(config.behaviour),
                sequence: 0,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No update can leave the counters half done, so a panic elsewhere does not spoil them.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn models(&self) -> &[String] {
        &self.models
    }

    pub(crate) fn serves(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|name| name == model)
    }

    /// Counts a request that has arrived.
    pub(crate) fn begin(self: &Arc<Self>) -> Flight {
        let sequence = {
            let mut inner = self.lock();
            let stats = &mut inner.stats;
            stats.total += 1;
            stats.current += 1;
            stats.peak = stats.peak.max(stats.current);
            inner.sequence += 1;
            inner.sequence - 1
        };
        Flight::new(Arc::clone(self), sequence)
    }

    pub(super) fn remember(&self, sequence: u64, times: (Instant, SystemTime), seen: &Seen<'_>) {
        let mut inner = self.lock();
        if inner.ring.capacity() > 0 {
            let record = RequestRecord::new(sequence, times.0, times.1, seen);
            inner.ring.push(record);
        }
    }

    pub(super) fn end(&self, sequence: u64, end: End, tokens: (u64, u64)) {
        let now = Instant::now();
        let mut inner = self.lock();
        let stats = &mut inner.stats;
        stats.current -= 1;
        match end {
            End::Status(status) => {
                *stats.by_status.entry(status).or_insert(0) += 1;
                stats.prompt_tokens += tokens.0;
                stats.completion_tokens += tokens.1;
            }
            End::Broken => stats.broken += 1,
            End::ClosedEarly => stats.closed_early += 1,
        }
        if let Some(record) = inner.ring.find(sequence) {
            match end {
                End::Status(status) => {
                    record.status = Some(status);
                    record.answered = Some(now);
                }
                End::ClosedEarly => record.closed_early = true,
                End::Broken => {}
            }
        }
    }

    pub(crate) fn decide(&self, source: &Source<'_>) -> Verdict {
        self.lock().schedule.decide(source)
    }

    pub(crate) fn install(&self, behaviours: Vec<Behaviour>) {
        self.lock().schedule.install(behaviours);
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.lock().ring.all()
    }

    /// Forgets behaviours, counters and requests; the open requests stay counted as current.
    pub(crate) fn reset(&self) {
        let mut inner = self.lock();
        let current = inner.stats.current;
        inner.stats = Stats {
            current,
            peak: current,
            total: current,
            ..Stats::default()
        };
        inner.ring.clear();
        inner.schedule.reset();
    }
}
