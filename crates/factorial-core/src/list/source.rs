//! The index that a page is read from: the smallest that holds all that is wanted.

use deadpool_redis::redis;

use super::{
    cursor::Place,
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
    /// Places by score, between a highest and a lowest one, as a sorted set takes them.
    Scores(Vec<String>, (String, String)),
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
        place: Option<&Place>,
    ) -> Result<Source, StoreError> {
        if let Some(id) = &filter.batch {
            let batch = self.batch(id).await?;
            // How many members it has is nobody's business but its owner's.
            let batch = batch.filter(|batch| filter.owners.include(&batch.owner));
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
                agent: filter.owners.are_all(),
                state: false,
                ended: false,
            },
        };
        if filter.states.is_empty() || filter.private {
            return Ok(by_id());
        }
        let Some(places) = self.places(filter, agents).await? else {
            return Ok(by_id());
        };
        // Two states share a place.
        let both = |a, b| filter.wants(a) == filter.wants(b);
        let ended = filter.states.iter().all(|state| state.is_terminal());
        let known = Known {
            state: both(TaskState::Scheduled, TaskState::Backoff)
                && both(TaskState::PendingToolResults, TaskState::PendingChildTasks),
            agent: false,
            owner: false,
            ended,
        };
        let bounds = if ended {
            let (from, before) = filter.ended();
            (
                before.map_or_else(|| "+inf".to_owned(), |ms| format!("({ms}")),
                from.map_or_else(|| "-inf".to_owned(), |ms| ms.to_string()),
            )
        } else {
            ("+inf".to_owned(), "-inf".to_owned())
        };
        if let Some(Place::Score(..)) = place {
            let order = Order::Scores(places, bounds);
            return Ok(Source { order, known });
        }
        let indexes: Vec<String> = match by_id().order {
            Order::Ids(indexes) if !filter.owners.are_all() || filter.agent.is_some() => {
                indexes.into_iter().map(|(_, key)| key).collect()
            }
            _ => Vec::new(),
        };
        let in_place = self.sizes(&places, Some(&bounds)).await?;
        let in_index = self.sizes(&indexes, None).await?;
        if !indexes.is_empty() && in_index < in_place {
            return Ok(by_id());
        }
        if in_place <= READ_WHOLE && !ended {
            let order = Order::Whole(self.whole(&places).await?);
            return Ok(Source { order, known });
        }
        let far_back = filter.before_ms.is_some() && in_place > PASSED_OVER;
        // Heartbeats change the order of leases.
        if place.is_some() || far_back || filter.states.contains(&TaskState::Processing) {
            return Ok(by_id());
        }
        let order = Order::Scores(places, bounds);
        Ok(Source { order, known })
    }

    /// The index of the owner, of the agent, or of all agents.
    fn indexes(&self, filter: &ListFilter, agents: &[AgentName]) -> Vec<(Partition, String)> {
        let keys = &self.0.keys;
        let of = |partition: Partition| -> Vec<String> {
            match (filter.owners.listed(), &filter.agent) {
                (Some(owners), _) => owners
                    .iter()
                    .map(|owner| keys.by_owner(partition, owner))
                    .collect(),
                (None, Some(agent)) => vec![keys.by_agent(partition, agent)],
                (None, None) => agents.iter().map(|a| keys.by_agent(partition, a)).collect(),
            }
        };
        self.all_partitions()
            .flat_map(|partition| of(partition).into_iter().map(move |key| (partition, key)))
            .collect()
    }

    /// The places of the wanted states; `None` when they are too many.
    async fn places(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut names: Vec<String> = Vec::new();
        let mut places = Vec::new();
        for state in &filter.states {
            names.push(match state {
                TaskState::Queued => {
                    let Some(queues) = self.queues(filter, agents).await? else {
                        return Ok(None);
                    };
                    places.extend(queues);
                    continue;
                }
                TaskState::Processing => segments::LEASE.to_owned(),
                TaskState::Scheduled | TaskState::Backoff => segments::DELAY.to_owned(),
                TaskState::PendingToolResults | TaskState::PendingChildTasks => {
                    segments::PENDING.to_owned()
                }
                ended => format!("{}{ended}", segments::DONE),
            });
        }
        names.sort_unstable();
        names.dedup();
        for partition in self.all_partitions() {
            places.extend(names.iter().map(|name| self.0.keys.place(partition, name)));
        }
        Ok(Some(places))
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
        if let Some(owners) = filter.owners.listed() {
            for (partition, agent) in places {
                for owner in owners {
                    queues.extend(PRIORITIES.map(|priority| {
                        let own = format!("{priority}:{owner}");
                        self.0.keys.ready(partition, agent, &own)
                    }));
                }
            }
            // Most of them do not exist.
            return Ok(Some(queues).filter(|queues| queues.len() <= 10 * MOST_QUEUES));
        }
        let rings = places.iter();
        let rings: Vec<String> = rings
            .map(|(partition, agent)| self.0.keys.ring(*partition, agent))
            .collect();
        if self.sizes(&rings, None).await? > MOST_QUEUES as u64 {
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

    /// How many they hold together, all or between two scores.
    async fn sizes(
        &self,
        keys: &[String],
        bounds: Option<&(String, String)>,
    ) -> Result<u64, StoreError> {
        let mut pipe = redis::pipe();
        for key in keys {
            match bounds {
                Some((highest, lowest)) => pipe.cmd("ZCOUNT").arg(key).arg(lowest).arg(highest),
                None => pipe.cmd("ZCARD").arg(key),
            };
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
        // One that moved while two places were read is in both.
        ids.dedup();
        Ok(ids)
    }
}
