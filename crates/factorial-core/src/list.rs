//! Lists of tasks, newest first, with a cursor: the time-ordered part of the last id that was given.
//!
//! Indexes are per partition, by owner and by agent; a page merges them. A filter that the index does not serve is
//! applied to what is read, a bounded amount per page, so a page can be short, or empty, and still have a cursor.

use deadpool_redis::redis;

use crate::{
    error::StoreError,
    ids::{AgentName, OwnerId, TaskId},
    script::Reply,
    store::Store,
    task::{TaskRecord, TaskState},
};

/// Records looked at for one page, at most, before a short page is given.
const MOST_EXAMINED: usize = 2_000;

/// Which tasks.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Only this owner's.
    pub owner: Option<OwnerId>,
    /// Only this agent's.
    pub agent: Option<AgentName>,
    /// Only in this state.
    pub state: Option<TaskState>,
}

/// A page of tasks.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// Newest first.
    pub tasks: Vec<TaskRecord>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// A page of tasks, newest first. `agents`: all that are known, for a list that names neither owner nor agent.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list_tasks(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let mut page = ListPage::default();
        let mut cursor = cursor.map(str::to_owned);
        let mut examined = 0;
        while page.tasks.len() < limit {
            let wanted = limit.max(100);
            let ids = self
                .newest(filter, agents, cursor.as_deref(), wanted)
                .await?;
            let exhausted = ids.len() < wanted;
            let records = self.tasks(&ids).await?;
            for (id, record) in ids.iter().zip(records) {
                cursor = Some(id.unique().to_owned());
                let fits = |t: &TaskRecord| {
                    filter.state.is_none_or(|s| s == t.state)
                        && filter.agent.as_ref().is_none_or(|a| *a == t.agent)
                };
                if let Some(task) = record.filter(fits) {
                    page.tasks.push(task);
                    if page.tasks.len() == limit {
                        break;
                    }
                }
            }
            examined += ids.len();
            let last_read = ids.last().map(TaskId::unique);
            if exhausted && last_read == cursor.as_deref() || ids.is_empty() {
                return Ok(page);
            }
            if examined >= MOST_EXAMINED {
                break;
            }
        }
        page.next = cursor;
        Ok(page)
    }

    /// Ids from the best index, merged over partitions, newest first, at most `limit`, older than the cursor.
    async fn newest(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<TaskId>, StoreError> {
        let mut pipe = redis::pipe();
        for partition in self.all_partitions() {
            let from = cursor.map_or_else(|| "+".to_owned(), |c| format!("({partition}-{c}"));
            let indexes: Vec<String> = match (&filter.owner, &filter.agent) {
                (Some(owner), _) => vec![self.0.keys.by_owner(partition, owner)],
                (None, Some(agent)) => vec![self.0.keys.by_agent(partition, agent)],
                (None, None) => agents
                    .iter()
                    .map(|a| self.0.keys.by_agent(partition, a))
                    .collect(),
            };
            for index in indexes {
                pipe.cmd("ZREVRANGEBYLEX")
                    .arg(index)
                    .arg(&from)
                    .arg("-")
                    .arg("LIMIT")
                    .arg(0)
                    .arg(limit);
            }
        }
        let count = pipe.len();
        let mut replies = Reply::new("list", self.0.link.pipeline(&pipe).await?);
        let mut ids = Vec::new();
        for _ in 0..count {
            for id in replies.array()?.texts()? {
                ids.push(
                    id.parse::<TaskId>()
                        .map_err(|e| StoreError::corrupt("list", e.to_string()))?,
                );
            }
        }
        ids.sort_unstable_by(|a, b| b.unique().cmp(a.unique()));
        ids.truncate(limit);
        Ok(ids)
    }
}
