//! The audit log, as far as it is not in Redis yet.
//!
//! The guard hands in what was changed, after the change; one writer takes what has gathered to Redis in one call, so that
//! no request waits for it. Invariant: what was handed in is written, or its loss is counted and logged.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use factorial_core::{AuditEntry, Store};
use tokio::{sync::Notify, time::sleep};

use crate::metrics::{AUDIT_ENTRIES_LOST_TOTAL, AUDIT_ENTRIES_TOTAL};

/// Entries that wait, at most.
const MOST_WAITING: usize = 100_000;
/// Entries of a call.
const MOST_AT_ONCE: usize = 500;
/// Before the next try, when Redis does not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Tries at the end of the process.
const LAST_TRIES: usize = 3;

/// What waits to be written.
pub(crate) struct AuditLog {
    waiting: Mutex<VecDeque<AuditEntry>>,
    come: Notify,
    most: u64,
}

impl AuditLog {
    /// A log of about so many entries.
    pub(crate) fn new(most: u64) -> Self {
        Self {
            waiting: Mutex::default(),
            come: Notify::new(),
            most,
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<AuditEntry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in an entry.
    pub(crate) fn add(&self, entry: AuditEntry) {
        let mut waiting = self.lock();
        if waiting.len() >= MOST_WAITING {
            drop(waiting);
            metrics::counter!(AUDIT_ENTRIES_LOST_TOTAL).increment(1);
            tracing::warn!(
                who = entry.who,
                operation = entry.operation,
                subject = entry.subject,
                status = entry.status,
                "audit entry lost"
            );
            return;
        }
        waiting.push_back(entry);
        drop(waiting);
        self.come.notify_one();
    }

    /// Writes what comes. Never ends.
    pub(crate) async fn write(&self, store: &Store) {
        loop {
            self.come.notified().await;
            while !self.write_some(store).await {
                sleep(AGAIN_AFTER).await;
            }
        }
    }

    /// Writes what is left, at the end of the process.
    pub(crate) async fn close(&self, store: &Store) {
        for _ in 0..LAST_TRIES {
            if self.write_some(store).await {
                return;
            }
        }
        let lost = self.lock().len();
        metrics::counter!(AUDIT_ENTRIES_LOST_TOTAL).increment(lost as u64);
        tracing::error!(lost, "audit entries lost at the end");
    }

    /// False: Redis does not answer.
    async fn write_some(&self, store: &Store) -> bool {
        loop {
            let some: Vec<AuditEntry> = {
                let waiting = self.lock();
                waiting.iter().take(MOST_AT_ONCE).cloned().collect()
            };
            if some.is_empty() {
                return true;
            }
            if let Err(error) = store.append_audit(&some, self.most).await {
                tracing::debug!(%error, "audit entries not written");
                return false;
            }
            // Taken off when they are written, so that whoever drops this call in between loses none.
            self.lock().drain(..some.len());
            metrics::counter!(AUDIT_ENTRIES_TOTAL).increment(some.len() as u64);
        }
    }
}
