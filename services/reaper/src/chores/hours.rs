//! Sums up the hours of the timeline that are over, before their buckets lapse.
//!
//! Invariant: an hour is kept once, by whoever comes first, so any number of reapers may do it.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use factorial_core::{AgentName, Store, StoreError};

use crate::{
    chore::{Chore, Round},
    options::ReaperOptions,
};

/// ms.
const HOUR: u64 = 3_600_000;

/// See the module.
#[derive(Default)]
pub(crate) struct Hours {
    /// Hours that need not be looked at again: they are kept, or nothing happened in them.
    done: BTreeMap<u64, BTreeSet<AgentName>>,
}

#[async_trait]
impl Chore for Hours {
    fn name(&self) -> &'static str {
        "hours"
    }

    async fn round(&mut self, store: &Store, _: &ReaperOptions) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let timeline = store.timeline_config();
        if !timeline.has_hours() {
            return Ok(round);
        }
        let kept = u64::try_from(timeline.kept().as_millis()).unwrap_or(u64::MAX);
        let now = store.now_ms().await?;
        let first = now.saturating_sub(kept) / HOUR * HOUR;
        self.done = self.done.split_off(&first);
        let hours: Vec<u64> = (first..now / HOUR * HOUR)
            .step_by(usize::try_from(HOUR).unwrap_or(usize::MAX))
            .collect();
        for agent in store.agent_names().await? {
            let is_done = |start| self.done.get(&start).is_some_and(|a| a.contains(&agent));
            let left: Vec<u64> = hours.iter().copied().filter(|at| !is_done(*at)).collect();
            if left.is_empty() {
                continue;
            }
            for (start, hour) in left.iter().zip(store.hours(&agent, &left).await?) {
                if hour.is_none() {
                    let sum = store.summed(&agent, *start, HOUR).await?;
                    if !sum.is_empty() && store.keep_hour(&agent, &sum).await? {
                        round.count += 1;
                    }
                }
                self.done.entry(*start).or_default().insert(agent.clone());
            }
        }
        Ok(round)
    }
}
