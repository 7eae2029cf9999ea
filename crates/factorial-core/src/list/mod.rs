//! Lists of tasks with a cursor, for clients and for people who look for something.
//!
//! A page is read from the smallest index that holds all that is wanted; what the index does not say is read of each task,
//! a bounded amount per page, so a page can be short, or empty, and still have a cursor. Invariant: the cost of a page
//! depends on its limit and on these bounds, not on how many tasks there are.

mod cursor;
mod filter;
mod scan;
mod source;

pub use cursor::ListCursor;
pub use filter::ListFilter;

use crate::{
    error::StoreError,
    ids::{AgentName, TaskId},
    store::Store,
    task::TaskRecord,
};

/// A page of tasks.
#[derive(Clone, Debug, Default)]
pub struct ListPage {
    /// Newest first.
    pub tasks: Vec<TaskRecord>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<ListCursor>,
}

/// Ids of a page.
#[derive(Clone, Debug, Default)]
pub struct ListedIds {
    /// Newest first.
    pub ids: Vec<TaskId>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<ListCursor>,
}

impl Store {
    /// A page of tasks, newest first: by when they were accepted, and a list of ended ones by their end. A list of several states
    /// has first those that wait, then those that run, then those that have ended.
    /// `agents`: all that are known, for a list that names neither owner nor agent.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list_tasks(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
        cursor: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ListPage, StoreError> {
        let found = self.list_ids(filter, agents, cursor, limit).await?;
        let records = self.tasks(&found.ids).await?.into_iter().flatten();
        Ok(ListPage {
            // What has changed since its index was read.
            tasks: records.filter(|task| filter.fits(task)).collect(),
            next: found.next,
        })
    }

    /// The ids of such a page; the tasks may have changed since.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn list_ids(
        &self,
        filter: &ListFilter,
        agents: &[AgentName],
        cursor: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ListedIds, StoreError> {
        if let Some(id) = filter.id().filter(|id| self.owns(id)) {
            let ids = if cursor.is_none() {
                vec![id]
            } else {
                Vec::new()
            };
            return Ok(ListedIds { ids, next: None });
        }
        let parts = filter.parts();
        let (mut at, mut place) = match cursor {
            Some(cursor) => (cursor.part, cursor.place.clone()),
            None => (0, None),
        };
        let mut ids = Vec::new();
        while let Some(part) = parts.get(at) {
            let source = self.source(part, agents, place.as_ref()).await?;
            let left = limit - ids.len();
            let found = self.scan(&source, part, place.as_ref(), left).await?;
            ids.extend(found.ids);
            if found.next.is_none() {
                at += 1;
            }
            place = found.next;
            if place.is_some() || ids.len() >= limit {
                let next = (at < parts.len()).then_some(ListCursor { part: at, place });
                return Ok(ListedIds { ids, next });
            }
        }
        Ok(ListedIds { ids, next: None })
    }
}
