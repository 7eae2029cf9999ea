//! `recover.lua`: takes tasks from workers that are gone.

use std::time::Duration;

use crate::{
    error::StoreError,
    failure::{Failure, kind},
    ids::Partition,
    metrics::{self, Requeued, requeued},
    script::{Script, script},
    scripts::promote::next_due,
    store::Store,
};

static RECOVER: Script = script!("recover");

/// How recovery is bounded.
#[derive(Clone, Copy, Debug)]
pub struct RecoverPolicy {
    /// Crashes in a row, without a commit between, after which the next one ends the task as `poison`.
    pub max_recoveries: u32,
    /// Tasks per call.
    pub most: usize,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Queued again.
    pub recovered: u64,
    /// Ended as poison.
    pub poisoned: u64,
    /// When the next lease expires; `None`: there is none.
    pub next: Option<Duration>,
}

impl Store {
    /// Recovers tasks of a partition whose leases have expired.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn recover(
        &self,
        partition: Partition,
        policy: RecoverPolicy,
    ) -> Result<Recovered, StoreError> {
        let failure = Failure {
            kind: kind::POISON.to_owned(),
            message: format!(
                "its worker died {} times in a row without a commit between",
                u64::from(policy.max_recoveries) + 1
            ),
            status: None,
        };
        let failure = serde_json::to_string(&failure)
            .map_err(|e| StoreError::corrupt("failure", e.to_string()))?;
        let mut reply = RECOVER
            .on(&self.base(partition))
            .arg(policy.most)
            .arg(policy.max_recoveries)
            .arg(&failure)
            .arg(&failure)
            .arg(&self.0.timeline_arg)
            .run(&self.0.link)
            .await?;
        let word = reply.text()?;
        if word != "ok" {
            return Err(reply.corrupt(word));
        }
        let step = Recovered {
            recovered: reply.count()?,
            poisoned: reply.count()?,
            next: next_due(&mut reply)?,
        };
        requeued(Requeued::LeaseExpired, step.recovered);
        metrics::failed(step.poisoned);
        while !reply.is_empty() {
            metrics::recovered(Duration::from_millis(reply.count()?));
        }
        Ok(step)
    }
}
