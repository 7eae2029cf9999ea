//! What chores say of themselves, in one hash of the namespace: when each last succeeded, and what it did.
//!
//! Written by the reapers, read by the dashboard. Invariant: nothing is decided by it.

use std::{collections::BTreeMap, time::Duration};

use deadpool_redis::redis;
use serde::{Deserialize, Serialize};

use crate::{error::StoreError, script::Reply, store::Store};

/// Suffix of the field that counts what a chore has done.
const DONE: &str = ":done";

/// What a round of a chore tells.
#[derive(Clone, Copy, Debug)]
pub struct ChoreReport {
    /// How long it took.
    pub took: Duration,
    /// What was done since the report before.
    pub done: u64,
    /// Longest time between two rounds.
    pub interval: Duration,
}

/// How a chore stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoreStatus {
    /// Its name.
    pub name: String,
    /// Its last success, ms since the Unix epoch, by Redis.
    pub success_ms: u64,
    /// How long that took, ms.
    pub took_ms: u64,
    /// What it has done since the namespace was created.
    pub done: u64,
    /// Longest time between two rounds, ms.
    pub interval_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    at: u64,
    took_ms: u64,
    interval_ms: u64,
}

impl Store {
    /// Says that a round of a chore has succeeded just now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn report_chore(&self, name: &str, report: ChoreReport) -> Result<(), StoreError> {
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let stored = Stored {
            at: self.now_ms().await?,
            took_ms: ms(report.took),
            interval_ms: ms(report.interval),
        };
        let text = serde_json::to_string(&stored)
            .map_err(|e| StoreError::corrupt("chore", e.to_string()))?;
        let key = self.0.keys.chores();
        let mut pipe = redis::pipe();
        pipe.cmd("HSET").arg(&key).arg(name).arg(text);
        pipe.cmd("HINCRBY")
            .arg(&key)
            .arg(format!("{name}{DONE}"))
            .arg(report.done);
        self.0.link.pipeline(&pipe).await.map(drop)
    }

    /// How all chores stand that have ever succeeded, by name.
    ///
    /// # Errors
    /// When Redis does not answer, or what is stored cannot be read.
    pub async fn chores(&self) -> Result<Vec<ChoreStatus>, StoreError> {
        let mut cmd = redis::cmd("HGETALL");
        cmd.arg(self.0.keys.chores());
        let mut fields = Reply::new("chore", vec![self.0.link.command(&cmd).await?]).map()?;
        let mut rounds = BTreeMap::new();
        let mut done = BTreeMap::new();
        while !fields.is_empty() {
            let name = fields.text()?;
            if let Some(name) = name.strip_suffix(DONE) {
                done.insert(name.to_owned(), fields.count()?);
            } else {
                let stored: Stored = serde_json::from_str(&fields.text()?)
                    .map_err(|e| StoreError::corrupt("chore", e.to_string()))?;
                rounds.insert(name, stored);
            }
        }
        let status = rounds.into_iter().map(|(name, stored)| ChoreStatus {
            done: done.get(&name).copied().unwrap_or(0),
            name,
            success_ms: stored.at,
            took_ms: stored.took_ms,
            interval_ms: stored.interval_ms,
        });
        Ok(status.collect())
    }
}
