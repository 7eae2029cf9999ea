//! The timeline of agents in slices of a minute or an hour, each read once when it is over.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use factorial_api::Window;
use factorial_core::{AgentName, Bucket, Store, StoreError};

use super::sums::Slices;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 3_600_000;
/// Slices are forgotten after so long, ms.
const REMEMBERED: u64 = 8 * 24 * HOUR;

/// Agent, width, start.
type Key = (AgentName, u64, u64);

/// What is known of times that are over; `None`: nothing happened.
#[derive(Default)]
pub(super) struct History {
    over: Mutex<BTreeMap<Key, Option<Bucket>>>,
}

/// The slices of a window that ends now: their width, and their starts.
fn slices_of(window: Window, bucket_ms: u64, now_ms: u64) -> (u64, Vec<u64>) {
    let (width, length) = match window {
        Window::Hour => (MINUTE, HOUR),
        Window::Day => (HOUR, 24 * HOUR),
        Window::Week => (HOUR, 7 * 24 * HOUR),
    };
    let width = width.max(bucket_ms);
    let newest = now_ms / width * width;
    let slices = (length / width).max(1);
    let starts = (0..slices).rev();
    (
        width,
        starts
            .filter_map(|i| newest.checked_sub(i * width))
            .collect(),
    )
}

impl History {
    /// The window of an agent.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn window(
        &self,
        store: &Store,
        agent: &AgentName,
        window: Window,
        now_ms: u64,
    ) -> Result<Slices, StoreError> {
        let bucket = store.timeline_config().width_ms();
        let (width_ms, starts) = slices_of(window, bucket, now_ms);
        let mut slices = self.known(agent, width_ms, &starts);
        let missing: Vec<u64> = starts
            .iter()
            .zip(&slices)
            .filter_map(|(start, known)| known.is_none().then_some(*start))
            .collect();
        let read = self.read(store, agent, width_ms, &missing, now_ms).await?;
        let mut read = read.into_iter();
        for slice in slices.iter_mut().filter(|known| known.is_none()) {
            *slice = read.next();
        }
        let slices = slices
            .into_iter()
            .zip(starts)
            .map(|(slice, start_ms)| Bucket {
                start_ms,
                ..slice.unwrap_or_default()
            });
        Ok(Slices {
            width_ms,
            slices: slices.collect(),
        })
    }

    /// The last minutes of an agent, with the one that runs, as one; with wider buckets the last two of those.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub(super) async fn recent(
        &self,
        store: &Store,
        agent: &AgentName,
        minutes: u64,
        now_ms: u64,
    ) -> Result<Bucket, StoreError> {
        let width = MINUTE.max(store.timeline_config().width_ms());
        let whole = (minutes * MINUTE).div_ceil(width);
        let start = (now_ms / width).saturating_sub(whole) * width;
        let length = now_ms.saturating_sub(start) / width * width + width;
        self.minutes(store, agent, start, length, now_ms).await
    }

    fn known(&self, agent: &AgentName, width: u64, starts: &[u64]) -> Vec<Option<Bucket>> {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let known = starts.iter().map(|start| {
            let known = over.get(&(agent.clone(), width, *start));
            known.map(|slice| slice.clone().unwrap_or_default())
        });
        known.collect()
    }

    fn remember(&self, agent: &AgentName, width: u64, slice: &Bucket) {
        let key = (agent.clone(), width, slice.start_ms);
        let slice = Some(slice.clone()).filter(|slice| !slice.is_empty());
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.insert(key, slice);
    }

    /// Forgets what no window shows any more.
    pub(super) fn forget(&self, now_ms: u64) {
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.retain(|(_, width, start), _| {
            let shown = if *width < HOUR { 3 * HOUR } else { REMEMBERED };
            start + shown > now_ms
        });
    }

    /// Reads slices, and remembers those that are over.
    async fn read(
        &self,
        store: &Store,
        agent: &AgentName,
        width: u64,
        starts: &[u64],
        now_ms: u64,
    ) -> Result<Vec<Bucket>, StoreError> {
        let timeline = store.timeline_config();
        let is_over = |start: u64| start + width <= now_ms;
        if width == timeline.width_ms() {
            let slices = store.buckets(agent, starts).await?;
            for slice in slices.iter().filter(|slice| is_over(slice.start_ms)) {
                self.remember(agent, width, slice);
            }
            return Ok(slices);
        }
        let mut slices = Vec::with_capacity(starts.len());
        if width < HOUR {
            for start in starts {
                let slice = store.summed(agent, *start, width).await?;
                if is_over(*start) {
                    self.remember(agent, width, &slice);
                }
                slices.push(slice);
            }
            return Ok(slices);
        }
        let kept = u64::try_from(timeline.kept().as_millis()).unwrap_or(u64::MAX);
        for (start, hour) in starts.iter().zip(store.hours(agent, starts).await?) {
            let lapsed = start.saturating_add(width).saturating_add(kept) <= now_ms;
            let slice = match hour {
                Some(hour) => {
                    self.remember(agent, width, &hour);
                    hour
                }
                None if lapsed => {
                    let nothing = Bucket {
                        start_ms: *start,
                        ..Bucket::default()
                    };
                    self.remember(agent, width, &nothing);
                    nothing
                }
                // It is not over, or not summed up yet.
                None => Box::pin(self.minutes(store, agent, *start, width, now_ms)).await?,
            };
            slices.push(slice);
        }
        Ok(slices)
    }

    /// An hour, or another time, from its minutes, most of which are known.
    async fn minutes(
        &self,
        store: &Store,
        agent: &AgentName,
        start_ms: u64,
        width: u64,
        now_ms: u64,
    ) -> Result<Bucket, StoreError> {
        let minute = MINUTE.max(store.timeline_config().width_ms());
        let starts = (0..width / minute).map(|i| start_ms + i * minute);
        let starts: Vec<u64> = starts.take_while(|start| *start <= now_ms).collect();
        let known = self.known(agent, minute, &starts);
        let mut sum = Bucket {
            start_ms,
            ..Bucket::default()
        };
        let mut missing = Vec::new();
        for (start, slice) in starts.iter().zip(&known) {
            match slice {
                Some(slice) => sum.merge(slice),
                None => missing.push(*start),
            }
        }
        for slice in self.read(store, agent, minute, &missing, now_ms).await? {
            sum.merge(&slice);
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_the_slice_that_runs() {
        let now = 10_000 * HOUR + 61_000;
        let (width, starts) = slices_of(Window::Hour, 1_000, now);
        assert_eq!((width, starts.len()), (MINUTE, 60));
        assert_eq!(starts.last(), Some(&(10_000 * HOUR + MINUTE)));
        let (width, starts) = slices_of(Window::Week, MINUTE, now);
        assert_eq!((width, starts.len()), (HOUR, 168));
        assert_eq!(starts.last(), Some(&(10_000 * HOUR)));
        let (width, starts) = slices_of(Window::Hour, 24 * HOUR, now);
        assert_eq!((width, starts.len()), (24 * HOUR, 1));
    }
}
