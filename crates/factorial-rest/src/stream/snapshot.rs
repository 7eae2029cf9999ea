//! How the tasks of an owner stand, for a reader of its feed who has missed something.

use factorial_api::{FeedSnapshot, FeedTask};
use factorial_core::{ListFilter, OwnerId, Owners, Store, StoreError, TaskId, TaskRecord};

use super::filter::FeedFilter;
use crate::convert;

/// Tasks of a snapshot at most, and those that are looked at for it.
const MOST: usize = 500;

/// The tasks that are named, whatever their state, or else those that have not ended, the newest first.
///
/// # Errors
/// When Redis does not answer.
pub(super) async fn snapshot(
    store: &Store,
    owner: &OwnerId,
    filter: &FeedFilter,
) -> Result<FeedSnapshot, StoreError> {
    if let Some(ids) = &filter.ids {
        let ids: Vec<TaskId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let records = store.tasks(&ids).await?;
        let own = records.into_iter().flatten().filter(|t| t.owner == *owner);
        return Ok(FeedSnapshot {
            tasks: own.map(task).collect(),
            complete: true,
        });
    }
    let all = ListFilter {
        owners: Owners::of(Some(owner.clone())),
        private: true,
        ..ListFilter::default()
    };
    let page = store.list_tasks(&all, &[], None, MOST).await?;
    let open = page.tasks.into_iter().filter(|t| !t.state.is_terminal());
    Ok(FeedSnapshot {
        tasks: open.map(task).collect(),
        complete: page.next.is_none(),
    })
}

fn task(record: TaskRecord) -> FeedTask {
    let task = convert::task(record);
    FeedTask {
        id: task.id,
        agent: task.agent,
        status: task.status,
        created_at: task.created_at,
        turns: task.turns,
        batch_id: task.batch_id,
    }
}
