//! Follows the feed of an owner from any cursor on.
//!
//! A source of streams. Each partition has a part of the feed, which is read, and joined with live notifications, by the
//! numbers of its entries. Invariants: every event comes once and those of a task in order, or the reader is told that
//! some are missing and how its tasks stand; the feed is gathered as long as somebody is here, and a while after.

use std::{fmt::Write as _, time::Duration};

use factorial_api::{FEED_GAP, FEED_OPENED, FEED_SNAPSHOT, FeedEvent, Time};
use factorial_core::{
    Event, EventBatch, FeedEntry, OwnerId, Partition, Store, StoreError, Subscription,
};
use futures::{FutureExt as _, future::select_all};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::{filter::FeedFilter, item::Item, snapshot::snapshot, source::End};
use crate::clock::machine_ms;

/// How long a feed goes on after its last reader, and can be resumed.
const LASTS: Duration = Duration::from_secs(15 * 60);
/// How often that is said again.
const AGAIN: Duration = Duration::from_secs(3 * 60);
/// Entries read at once. All of them are held for a reader who does not read on.
const PAGE: usize = 32;
/// Before a part is read again after the store did not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A place in a feed: of each partition the last entry that was read whole, and how many events of the next one were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position(Vec<(u64, usize)>);

impl Position {
    /// As cursors say it: `<n>` or `<n>-<events>` of each partition, with dots between.
    pub(crate) fn parse(text: &str, partitions: u16) -> Option<Self> {
        let part = |text: &str| {
            let (n, events) = text.split_once('-').unwrap_or((text, "0"));
            Some((n.parse().ok()?, events.parse().ok()?))
        };
        let parts: Vec<_> = text.split('.').map(part).collect::<Option<_>>()?;
        (parts.len() == usize::from(partitions)).then_some(Self(parts))
    }

    /// See [`Position::parse`].
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (i, (n, events)) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            let _ = write!(text, "{dot}{n}");
            if *events > 0 {
                let _ = write!(text, "-{events}");
            }
        }
        text
    }
}

struct Part {
    partition: Partition,
    live: Subscription,
    /// There may be entries that no notification will bring.
    behind: bool,
}

/// A reader's place in a feed.
pub(crate) struct Feed {
    store: Store,
    owner: OwnerId,
    filter: FeedFilter,
    parts: Vec<Part>,
    position: Option<Position>,
    follow_at: Instant,
    /// Some are missing; since when is not known.
    gap: bool,
    /// It begins now, which the reader is to be told.
    opened: bool,
}

impl Feed {
    /// Begins after a position, or now.
    pub(crate) fn new(
        store: Store,
        owner: OwnerId,
        filter: FeedFilter,
        position: Option<Position>,
    ) -> Self {
        let parts = store.all_partitions().map(|partition| Part {
            partition,
            live: store.subscribe_feed(partition, &owner),
            behind: true,
        });
        Self {
            parts: parts.collect(),
            store,
            owner,
            filter,
            position,
            follow_at: Instant::now(),
            gap: false,
            opened: false,
        }
    }

    /// Where a reader goes on.
    pub(crate) fn cursor(&self) -> String {
        self.position
            .as_ref()
            .map(Position::text)
            .unwrap_or_default()
    }

    /// The next messages, at least one. Waits for them, also while Redis is away. Safe to be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Vec<Item>, End> {
        loop {
            match self.step(true).await {
                Ok(items) if items.is_empty() => {}
                Ok(items) => return Ok(items),
                Err(error) if error.is_unavailable() => sleep(AGAIN_AFTER).await,
                Err(error) => {
                    tracing::error!(%error, "feed failed");
                    return Err(End::Failed);
                }
            }
        }
    }

    /// What there is after the position now, one step of it; and whether there may be more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn page(&mut self) -> Result<(Vec<Item>, bool), StoreError> {
        loop {
            let items = self.step(false).await?;
            let more = self.gap || self.parts.iter().any(|part| part.behind);
            if !items.is_empty() || !more {
                return Ok((items, more));
            }
        }
    }

    async fn step(&mut self, wait: bool) -> Result<Vec<Item>, StoreError> {
        if Instant::now() >= self.follow_at {
            self.follow().await?;
        }
        if std::mem::take(&mut self.opened) {
            let opened = self.own(FEED_OPENED, json!({}));
            return Ok(vec![Item::of_feed(Some(self.cursor()), &opened)?]);
        }
        if self.gap {
            return self.mend().await;
        }
        if let Some(at) = self.parts.iter().position(|part| part.behind) {
            return self.read_on(at).await;
        }
        if wait {
            self.listen().await
        } else {
            Ok(Vec::new())
        }
    }

    /// Keeps the feed going; at first, finds out where it is.
    async fn follow(&mut self) -> Result<(), StoreError> {
        let mut now = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let n = self
                .store
                .follow_owner(part.partition, &self.owner, LASTS)
                .await?;
            now.push((n, 0));
        }
        self.follow_at = Instant::now() + AGAIN;
        self.opened = self.position.is_none();
        let position = self.position.get_or_insert_with(|| Position(now.clone()));
        // Ahead of the feed: it was lost with a part of Redis, and has begun again.
        self.gap |= position.0.iter().zip(&now).any(|(at, now)| at.0 > now.0);
        Ok(())
    }

    /// Tells that events are missing, and how things stand. What has come since then comes after it.
    async fn mend(&mut self) -> Result<Vec<Item>, StoreError> {
        self.position = None;
        self.follow().await?;
        self.opened = false;
        let snapshot = snapshot(&self.store, &self.owner, &self.filter).await?;
        self.gap = false;
        for part in &mut self.parts {
            part.behind = true;
        }
        let gap = self.own(FEED_GAP, json!({}));
        let stands = self.own(FEED_SNAPSHOT, json!(snapshot));
        Ok(vec![
            Item::of_feed(None, &gap)?,
            Item::of_feed(Some(self.cursor()), &stands)?,
        ])
    }

    async fn read_on(&mut self, at: usize) -> Result<Vec<Item>, StoreError> {
        let (partition, last) = (self.parts[at].partition, self.place(at).0);
        let entries = self.store.feed(partition, &self.owner, last, PAGE).await?;
        self.parts[at].behind = entries.len() == PAGE;
        let mut items = Vec::new();
        for entry in &entries {
            if entry.n != self.place(at).0 + 1 {
                self.gap = true;
                break;
            }
            self.take(at, entry, &mut items)?;
        }
        Ok(items)
    }

    /// Waits until something has come, or is to be done.
    async fn listen(&mut self) -> Result<Vec<Item>, StoreError> {
        let (batch, at) = {
            let notices = self.parts.iter_mut().map(|part| part.live.next().boxed());
            tokio::select! {
                (batch, at, _) = select_all(notices) => (batch, at),
                () = sleep_until(self.follow_at) => return Ok(Vec::new()),
            }
        };
        let mut items = Vec::new();
        match batch {
            EventBatch::Entry(entry) if entry.n <= self.place(at).0 => {}
            EventBatch::Entry(entry) if entry.n == self.place(at).0 + 1 => {
                self.take(at, &entry, &mut items)?;
            }
            EventBatch::Text(_) => {}
            _ => self.parts[at].behind = true,
        }
        Ok(items)
    }

    /// Where the reader is in a part.
    fn place(&self, at: usize) -> (u64, usize) {
        let place = self.position.as_ref().and_then(|p| p.0.get(at));
        place.copied().unwrap_or_default()
    }

    fn set_place(&mut self, at: usize, n: u64, events: usize) {
        if let Some(place) = self.position.as_mut().and_then(|p| p.0.get_mut(at)) {
            *place = (n, events);
        }
    }

    /// The events of an entry that were not read yet and are wanted.
    fn take(
        &mut self,
        at: usize,
        entry: &FeedEntry,
        items: &mut Vec<Item>,
    ) -> Result<(), StoreError> {
        let (before, read) = self.place(at);
        let wanted = self.filter.wants(entry);
        for (i, event) in entry.events.iter().enumerate().skip(read) {
            if wanted && self.filter.fits(event) {
                if i + 1 == entry.events.len() {
                    self.set_place(at, entry.n, 0);
                } else {
                    self.set_place(at, before, i + 1);
                }
                items.push(self.item(entry, event)?);
            }
        }
        self.set_place(at, entry.n, 0);
        Ok(())
    }

    fn item(&self, entry: &FeedEntry, event: &Event) -> Result<Item, StoreError> {
        let data = serde_json::from_str(event.data.get()).map_err(|e| StoreError::Corrupt {
            place: "event",
            detail: e.to_string(),
        })?;
        let of_task = entry.agent.is_some();
        let told = FeedEvent {
            cursor: None,
            event_type: event.event_type.clone(),
            at: Time::from_millis(event.at_ms),
            owner_id: self.owner.to_string(),
            seq: Some(event.seq),
            task_id: of_task.then(|| entry.id.clone()),
            agent: entry.agent.clone(),
            turn: of_task.then_some(event.turn),
            attempt: of_task.then_some(event.attempt),
            batch_id: (!of_task).then(|| entry.id.clone()),
            data,
        };
        Item::of_feed(Some(self.cursor()), &told)
    }

    /// An event of the feed itself.
    fn own(&self, event_type: &str, data: serde_json::Value) -> FeedEvent {
        FeedEvent {
            cursor: None,
            event_type: event_type.to_owned(),
            at: Time::from_millis(machine_ms()),
            owner_id: self.owner.to_string(),
            seq: None,
            task_id: None,
            agent: None,
            turn: None,
            attempt: None,
            batch_id: None,
            data,
        }
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_position_in_a_feed() {
        factorial_fuzz::texts(&["17", "1-2.0.3", "0.0.18446744073709551615-1"], |text| {
            for partitions in [1, 3] {
                if let Some(position) = Position::parse(text, partitions) {
                    assert_eq!(
                        Position::parse(&position.text(), partitions),
                        Some(position)
                    );
                }
            }
        });
    }
}
