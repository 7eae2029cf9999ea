//! The index that a page is read from: the smallest that holds all that is wanted.

use deadpool_redis::redis;

use super::{
    cursor::ListCursor,
    filter::{Known, ListFilter},
};
use crate::{
    error::StoreError,
    ids::{AgentName, BatchId, Partition, TaskId},
    script::Reply,
    segments,
    store::Store,
    task::TaskState,
};

/// A place with no more tasks is read as a whole, and sorted by when they were made.
const READ_WHOLE: u64 = 5_000;
/// Ready queues that a list of queued tasks merges.
const MOST_QUEUES: usize = 1_000;
/// Priorities that a ready queue can have.
const PRIORITIES: std::ops::RangeInclusive<u8> = 0..=9;
/// Ids that are passed over for their time alone; beyond, the index by id is the shorter way.
const PASSED_OVER: u64 = 10_000;

/// Where the ids of a page come from, and what needs not be read of them.
pub(super) struct Source {
    pub(super) order: Order,
    pub(super) known: Known,
}

/// In which order they come.
pub(super) enum Order {
    /// Indexes by id, with their partitions.
    Ids(Vec<(Partition, String)>),
    /// Places by score.
    Scores(Vec<String>),
    /// All there are, newest first.
    Whole(Vec<TaskId>),
    /// Members of a batch: below this index.
    Members(BatchId, u64),
}

impl Store {
    pub(super) async fn source(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
        cursor: Option<&ListCursor>,
    ) -> Result<Source, StoreError> {
        if let Some(id) = &filter.batch {
            let batch = self.batch(id).await?;
            let span = batch.map_or(0, |batch| batch.span.max(batch.members));
            return Ok(Source {
                order: Order::Members(id.clone(), span),
                known: Known::default(),
            });
        }
        let by_id = || Source {
            order: Order::Ids(self.indexes(filter, agents)),
            known: Known {
                owner: true,
                agent: filter.owner.is_none(),
                state: false,
            },
        };
        let Some(state) = filter.state else {
            return Ok(by_id());
        };
        let place = if state == TaskState::Queued {
            self.queues(filter, agents).await?
        } else {
            Some(self.places(state))
        };
        let Some(place) = place else {
            return Ok(by_id());
        };
        let known = Known {
            // Two states share a place.
            state: state.is_terminal()
                || matches!(state, TaskState::Queued | TaskState::Processing),
            agent: false,
            owner: false,
        };
        if let Some(ListCursor::Score(..)) = cursor {
            let order = Order::Scores(place);
            return Ok(Source { order, known });
        }
        let indexes: Vec<String> = match by_id().order {
            Order::Ids(indexes) if filter.owner.is_some() || filter.agent.is_some() => {
                indexes.into_iter().map(|(_, key)| key).collect()
            }
            _ => Vec::new(),
        };
        let in_place = self.sizes(&place).await?;
        let in_index = self.sizes(&indexes).await?;
        let ended = state.is_terminal();
        if !indexes.is_empty() && in_index < in_place {
            return Ok(by_id());
        }
        if in_place <= READ_WHOLE && !ended {
            let order = Order::Whole(self.whole(&place).await?);
            return Ok(Source { order, known });
        }
        let far_back = filter.before_ms.is_some() && in_place > PASSED_OVER;
        // Heartbeats change the order of leases.
        if cursor.is_some() || far_back || state == TaskState::Processing {
            return Ok(by_id());
        }
        let order = Order::Scores(place);
        Ok(Source { order, known })
    }

    /// The index of the owner, of the agent, or of all agents.
    fn indexes(&self, filter: &ListFilter, agents: &[AgentName]) -> Vec<(Partition, String)> {
        let keys = &self.0.keys;
        let of = |partition: Partition| -> Vec<String> {
            match (&filter.owner, &filter.agent) {
                (Some(owner), _) => vec![keys.by_owner(partition, owner)],
                (None, Some(agent)) => vec![keys.by_agent(partition, agent)],
                (None, None) => agents.iter().map(|a| keys.by_agent(partition, a)).collect(),
            }
        };
        self.all_partitions()
            .flat_map(|partition| of(partition).into_iter().map(move |key| (partition, key)))
            .collect()
    }

    fn places(&self, state: TaskState) -> Vec<String> {
        let place = match state {
            TaskState::Processing => segments::LEASE.to_owned(),
            TaskState::Scheduled | TaskState::Backoff => segments::DELAY.to_owned(),
            TaskState::PendingToolResults | TaskState::PendingChildTasks => {
                segments::PENDING.to_owned()
            }
            ended => format!("{}{ended}", segments::DONE),
        };
        self.all_partitions()
            .map(|partition| self.0.keys.place(partition, &place))
            .collect()
    }

    /// The ready queues that may hold what is wanted; `None` when they are too many.
    async fn queues(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
    ) -> Result<Option<Vec<String>>, StoreError> {
        let named = filter.agent.as_ref().map(std::slice::from_ref);
        let agents = named.unwrap_or(agents);
        let places: Vec<(Partition, &AgentName)> = self
            .all_partitions()
            .flat_map(|partition| agents.iter().map(move |agent| (partition, agent)))
            .collect();
        let mut queues = Vec::new();
        if let Some(owner) = &filter.owner {
            for (partition, agent) in places {
                queues.extend(PRIORITIES.map(|priority| {
                    let own = format!("{priority}:{owner}");
                    self.0.keys.ready(partition, agent, &own)
                }));
            }
            // Most of them do not exist.
            return Ok(Some(queues).filter(|queues| queues.len() <= 10 * MOST_QUEUES));
        }
        let rings = places.iter();
        let rings: Vec<String> = rings
            .map(|(partition, agent)| self.0.keys.ring(*partition, agent))
            .collect();
        if self.sizes(&rings).await? > MOST_QUEUES as u64 {
            return Ok(None);
        }
        let mut pipe = redis::pipe();
        for ring in &rings {
            pipe.cmd("ZRANGE").arg(ring).arg(0).arg(MOST_QUEUES);
        }
        let mut replies = Reply::new("ring", self.0.link.pipeline(&pipe).await?);
        for (partition, agent) in places {
            let owners = replies.array()?.texts()?;
            queues.extend(
                owners
                    .iter()
                    .map(|own| self.0.keys.ready(partition, agent, own)),
            );
        }
        Ok(Some(queues).filter(|queues| queues.len() <= MOST_QUEUES))
    }

    async fn sizes(&self, keys: &[String]) -> Result<u64, StoreError> {
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("ZCARD").arg(key);
        }
        let mut replies = Reply::new("place", self.0.link.pipeline(&pipe).await?);
        let mut sum = 0;
        for _ in keys {
            sum += replies.count()?;
        }
        Ok(sum)
    }

    async fn whole(&self, keys: &[String]) -> Result<Vec<TaskId>, StoreError> {
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("ZRANGE").arg(key).arg(0).arg(-1);
        }
        let mut replies = Reply::new("place", self.0.link.pipeline(&pipe).await?);
        let mut ids = Vec::new();
        for _ in keys {
            for id in replies.array()?.texts()? {
                ids.push(
                    id.parse::<TaskId>()
                        .map_err(|_| StoreError::corrupt("place", id))?,
                );
            }
        }
        ids.sort_unstable_by(|a, b| b.unique().cmp(a.unique()));
        Ok(ids)
    }
}
