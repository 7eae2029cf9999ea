//! Reads a task with its descendants, level by level.
//!
//! Used by the tree operation. Invariant: however many descendants there are, no more records are held than are asked
//! for, and what one call to the store brings is bounded.

use factorial_core::{Store, StoreError, TaskId, TaskRecord};

use crate::convert::Branch;

/// Deeper than any task is.
const MOST_LEVELS: usize = 64;
/// Ids of children that one call may bring.
const MOST_IDS: usize = 20_000;
/// Parents that one call asks for, and records that one call brings.
const MOST_AT_ONCE: usize = 200;

/// What was read of a family.
pub(crate) struct Family {
    /// The task that was asked for, then its descendants, each after its parent.
    pub(crate) members: Vec<Branch>,
    /// There may be more.
    pub(crate) truncated: bool,
}

/// A task, and of its descendants those that come first, level by level: at most `limit` tasks.
///
/// # Errors
/// When Redis does not answer.
pub(crate) async fn read(
    store: &Store,
    root: TaskRecord,
    limit: usize,
) -> Result<Family, StoreError> {
    let mut family = Family {
        members: vec![Branch {
            record: root,
            parent: 0,
        }],
        truncated: false,
    };
    let mut level = 0..1;
    for _ in 0..MOST_LEVELS {
        let begins = family.members.len();
        let mut parents = level;
        while !parents.is_empty() && !family.truncated {
            // One more than there is room for tells that there are more.
            let most = limit.saturating_sub(family.members.len()) + 1;
            let width = (MOST_IDS / most).clamp(1, MOST_AT_ONCE).min(parents.len());
            let asked = parents.start..parents.start + width;
            parents.start = asked.end;
            let children = children(store, &family, asked, most).await?;
            family.truncated |= children.more;
            add(store, &mut family, children.ids, limit).await?;
        }
        level = begins..family.members.len();
        if level.is_empty() || family.truncated {
            break;
        }
    }
    Ok(family)
}

struct Children {
    /// With the places of their parents.
    ids: Vec<(usize, TaskId)>,
    /// A parent has more.
    more: bool,
}

async fn children(
    store: &Store,
    family: &Family,
    parents: std::ops::Range<usize>,
    most: usize,
) -> Result<Children, StoreError> {
    let ids: Vec<TaskId> = family
        .members
        .iter()
        .take(parents.end)
        .skip(parents.start)
        .map(|branch| branch.record.id.clone())
        .collect();
    let lists = store.children(&ids, most).await?;
    let more = lists.iter().any(|list| list.len() >= most);
    let ids = parents
        .zip(lists)
        .flat_map(|(parent, list)| list.into_iter().map(move |id| (parent, id)));
    Ok(Children {
        ids: ids.collect(),
        more,
    })
}

/// Adds those that have not expired, while there is room.
async fn add(
    store: &Store,
    family: &mut Family,
    ids: Vec<(usize, TaskId)>,
    limit: usize,
) -> Result<(), StoreError> {
    for some in ids.chunks(MOST_AT_ONCE) {
        let wanted: Vec<TaskId> = some.iter().map(|(_, id)| id.clone()).collect();
        let records = store.tasks(&wanted).await?;
        for ((parent, _), record) in some.iter().zip(records) {
            let Some(record) = record else { continue };
            if family.members.len() >= limit {
                family.truncated = true;
                return Ok(());
            }
            family.members.push(Branch {
                record,
                parent: *parent,
            });
        }
    }
    Ok(())
}
