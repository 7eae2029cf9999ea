//! Reading a page from its source: ids after the cursor, a chunk at a time, until the page is full or enough was looked at.

use deadpool_redis::redis;
use ulid::Ulid;

use super::{
    cursor::Place,
    filter::ListFilter,
    source::{Order, Source},
};
use crate::{
    error::StoreError,
    ids::{BatchId, Partition, TaskId},
    script::Reply,
    store::Store,
};

/// Tasks of which fields are read for one page, at most.
const MOST_EXAMINED: usize = 1_000;
/// Ids that are looked at for one page, at most.
const MOST_SEEN: usize = 10_000;
/// Ids of a chunk, at least.
const CHUNK: usize = 100;
/// Ids that are read from one index, at least, when there are many.
const LEAST_EACH: usize = 8;

/// Ids of a part of a list, in its order.
#[derive(Default)]
pub(super) struct Found {
    pub(super) ids: Vec<TaskId>,
    /// Where it goes on; `None` at its end.
    pub(super) next: Option<Place>,
}

/// Some ids in their order, each with the cursor that stands behind it.
#[derive(Default)]
struct Chunk {
    items: Vec<(TaskId, Place)>,
    /// There is nothing behind them.
    last: bool,
}

impl Store {
    pub(super) async fn scan(
        &self,
        source: &Source,
        filter: &ListFilter,
        cursor: Option<&Place>,
        limit: usize,
    ) -> Result<Found, StoreError> {
        let mut fields = filter.fields(source.known);
        if fields.is_empty() && matches!(source.order, Order::Members(..)) {
            // Their ids are counted, not stored: those of tasks that have expired as well.
            fields.push("batch");
        }
        let mut page = Found::default();
        let mut cursor = cursor.cloned();
        let (mut seen, mut examined, mut most) = (0, 0, limit.max(CHUNK));
        loop {
            let chunk = self
                .chunk(&source.order, filter, cursor.as_ref(), most)
                .await?;
            let before = cursor.clone();
            seen += chunk.items.len();
            let made: Vec<&(TaskId, Place)> = chunk
                .items
                .iter()
                .filter(|(id, _)| filter.made(id))
                .collect();
            let passed = self.judge(filter, &fields, &made).await?;
            if !fields.is_empty() {
                examined += made.len();
            }
            for ((id, at), passed) in made.into_iter().zip(passed) {
                // One that moved while two places were read is in both.
                if passed && !page.ids.contains(id) {
                    page.ids.push(id.clone());
                    if page.ids.len() == limit {
                        let is_last = chunk.items.last().is_some_and(|(last, _)| last == id);
                        page.next = Some(at.clone()).filter(|_| !(chunk.last && is_last));
                        return Ok(page);
                    }
                }
            }
            if let Some((_, last)) = chunk.items.last() {
                cursor = Some(last.clone());
            }
            // More of one score than are read at once, which only a very long front of a queue has: the list ends there.
            let stuck = chunk.items.is_empty() && most >= MOST_SEEN;
            if chunk.last || stuck {
                return Ok(page);
            }
            if examined >= MOST_EXAMINED || seen >= MOST_SEEN {
                page.next = cursor;
                return Ok(page);
            }
            // Nothing came through, or little: more at once, for as long as they need not be read.
            let of_one_score = cursor == before;
            most = if of_one_score || fields.is_empty() {
                (most * 2).min(MOST_SEEN)
            } else {
                (MOST_EXAMINED - examined).clamp(CHUNK, 500)
            };
        }
    }

    async fn chunk(
        &self,
        order: &Order,
        filter: &ListFilter,
        cursor: Option<&Place>,
        most: usize,
    ) -> Result<Chunk, StoreError> {
        match order {
            Order::Ids(indexes) => self.by_id(indexes, filter, cursor, most).await,
            Order::Scores(places, bounds) => self.by_score(places, bounds, cursor, most).await,
            Order::Whole(ids) => Ok(after_in(ids, cursor, most)),
            Order::Members(batch, below) => Ok(members(batch, *below, cursor, most)),
        }
    }

    /// Whether each of them passes.
    async fn judge(
        &self,
        filter: &ListFilter,
        fields: &[&'static str],
        items: &[&(TaskId, Place)],
    ) -> Result<Vec<bool>, StoreError> {
        if fields.is_empty() {
            return Ok(vec![true; items.len()]);
        }
        let mut pipe = redis::pipe();
        for (id, _) in items {
            pipe.cmd("HMGET").arg(self.0.keys.task(id)).arg(fields);
        }
        let mut replies = Reply::new("task", self.0.link.pipeline(&pipe).await?);
        items
            .iter()
            .map(|(id, _)| {
                let mut reply = replies.array()?;
                let mut values = Vec::with_capacity(fields.len());
                for _ in fields {
                    values.push(reply.text_or_nil()?);
                }
                Ok(filter.passes(id, fields, &values))
            })
            .collect()
    }

    async fn by_id(
        &self,
        indexes: &[(Partition, String)],
        filter: &ListFilter,
        cursor: Option<&Place>,
        most: usize,
    ) -> Result<Chunk, StoreError> {
        let each = each_of(indexes.len(), most);
        let mut pipe = redis::pipe();
        for (partition, index) in indexes {
            let (mut highest, lowest) = filter.bounds(*partition);
            if let Some(Place::Id(unique)) = cursor {
                let here = format!("({partition}-{unique}");
                if highest == "+" || here < highest {
                    highest = here;
                }
            }
            pipe.cmd("ZREVRANGEBYLEX")
                .arg(index)
                .arg(highest)
                .arg(lowest)
                .arg("LIMIT")
                .arg(0)
                .arg(each);
        }
        let mut replies = Reply::new("list", self.0.link.pipeline(&pipe).await?);
        let mut lists = Vec::with_capacity(indexes.len());
        for _ in indexes {
            let ids = replies.array()?.texts()?.into_iter().map(|id| {
                let id: TaskId = id.parse().map_err(|_| StoreError::corrupt("list", id))?;
                Ok((id.unique().to_owned(), id))
            });
            lists.push(ids.collect::<Result<Vec<_>, StoreError>>()?);
        }
        let (items, last) = merge(lists, each, most);
        let item = |(unique, id)| (id, Place::Id(unique));
        Ok(Chunk {
            items: items.into_iter().map(item).collect(),
            last,
        })
    }

    async fn by_score(
        &self,
        places: &[String],
        (highest, lowest): &(String, String),
        cursor: Option<&Place>,
        most: usize,
    ) -> Result<Chunk, StoreError> {
        let each = each_of(places.len(), most);
        let (from, seen) = match cursor {
            Some(Place::Score(score, id)) => (score.to_string(), Some((*score, id))),
            _ => (highest.clone(), None),
        };
        let mut pipe = redis::pipe();
        for place in places {
            pipe.cmd("ZREVRANGEBYSCORE")
                .arg(place)
                .arg(&from)
                .arg(lowest)
                .arg("WITHSCORES")
                .arg("LIMIT")
                .arg(0)
                .arg(each);
        }
        let mut replies = Reply::new("place", self.0.link.pipeline(&pipe).await?);
        let mut lists = Vec::with_capacity(places.len());
        for _ in places {
            let members = replies.scored()?.into_iter().map(|(score, id)| {
                let id: TaskId = id.parse().map_err(|_| StoreError::corrupt("place", id))?;
                Ok((score, id))
            });
            lists.push(members.collect::<Result<Vec<_>, StoreError>>()?);
        }
        let (mut items, last) = merge(lists, each, usize::MAX);
        items.retain(|(score, id)| seen.is_none_or(|seen| (*score, id) < seen));
        let last = last && items.len() <= most;
        items.truncate(most);
        let item = |(score, id): (i64, TaskId)| (id.clone(), Place::Score(score, id));
        Ok(Chunk {
            items: items.into_iter().map(item).collect(),
            last,
        })
    }
}

/// How many to read of each of some lists that are merged.
fn each_of(lists: usize, most: usize) -> usize {
    (2 * most / lists.max(1)).clamp(LEAST_EACH, most.max(LEAST_EACH))
}

/// Merges lists that are sorted downwards, of each of which at most `each` were read: what lies behind the end of one that
/// has more is not known to be next. Says whether that is all.
fn merge<K: Ord + Clone>(
    lists: Vec<Vec<(K, TaskId)>>,
    each: usize,
    most: usize,
) -> (Vec<(K, TaskId)>, bool) {
    let ends = lists.iter().filter(|list| list.len() >= each);
    let horizon = ends.filter_map(|list| list.last().cloned()).max();
    let mut items: Vec<_> = lists.into_iter().flatten().collect();
    let all = items.len();
    items.retain(|item| horizon.as_ref().is_none_or(|horizon| item >= horizon));
    let last = horizon.is_none() && all <= most;
    items.sort_unstable_by(|a, b| b.cmp(a));
    items.truncate(most);
    (items, last)
}

fn after_in(ids: &[TaskId], cursor: Option<&Place>, most: usize) -> Chunk {
    let from = match cursor {
        Some(Place::Id(unique)) => ids.partition_point(|id| id.unique() >= &**unique),
        _ => 0,
    };
    let left = ids.get(from..).unwrap_or_default();
    let items = left.iter().take(most);
    Chunk {
        items: items
            .map(|id| (id.clone(), Place::Id(id.unique().to_owned())))
            .collect(),
        last: left.len() <= most,
    }
}

/// Members of a batch, the last one first.
fn members(batch: &BatchId, below: u64, cursor: Option<&Place>, most: usize) -> Chunk {
    let number = |unique: &str| Ulid::from_string(unique).map_or(0, |ulid| ulid.0);
    let below = match cursor {
        Some(Place::Id(unique)) => {
            let index = number(unique).wrapping_sub(number(batch.unique()).wrapping_add(1));
            u64::try_from(index).unwrap_or(0).min(below)
        }
        _ => below,
    };
    let from = below.saturating_sub(most as u64);
    Chunk {
        items: (from..below)
            .rev()
            .map(|index| {
                let id = batch.member(index);
                let cursor = Place::Id(id.unique().to_owned());
                (id, cursor)
            })
            .collect(),
        last: from == 0,
    }
}
