//! Lists by every filter, from every index, in pages of every size: all that fit, once, in order.

use std::collections::BTreeMap;

use factorial_core::{
    AgentName, BatchId, ListCursor, ListFilter, NewBatch, Owners, Start, TaskId, TaskRecord,
    TaskState,
};
use ulid::Ulid;

use crate::world::{LEASE, World, completed, failed, failure, owner};

/// Time of the first task.
const FIRST: u64 = 1_700_000_000_000;

/// 60 tasks of two agents, three owners and a batch, a second apart, in most of the states.
async fn fill(w: &World) -> BatchId {
    let batch = BatchId::new(w.partition, Ulid::from_parts(FIRST + 40_000, 0));
    let new = NewBatch {
        id: batch.clone(),
        owner: owner("o0"),
        members: 10,
        turns_each: None,
        webhook: None,
        metadata: BTreeMap::new(),
        idempotency: None,
    };
    w.store().open_batch(&new).await.unwrap();
    for n in 0..60_u64 {
        let partition = if w.store().partitions() > 1 && n < 30 {
            factorial_core::Partition(u16::try_from(n % 3).unwrap())
        } else {
            w.partition
        };
        let mut task = w.task(&format!("unused{n}"));
        task.id = TaskId::new(partition, Ulid::from_parts(FIRST + n * 1000, u128::from(n)));
        if (40..50).contains(&n) {
            task.id = batch.member(n - 40);
            task.batch = Some(batch.clone());
        }
        task.agent = if n % 2 == 0 { "a" } else { "b" }.parse().unwrap();
        task.owner = owner(&format!("o{}", n % 3));
        if task.batch.is_some() {
            task.owner = new.owner.clone();
        }
        task.metadata = BTreeMap::from([("customer".to_owned(), format!("Firm {}", n % 7))]);
        if n % 5 == 0 {
            task.start = Start::After(LEASE * 100);
        }
        w.store().enqueue(&task).await.unwrap();
        if n % 11 == 3 {
            w.store().cancel(&task.id, None).await.unwrap();
        }
    }
    w.store().seal_batch(&batch, false).await.unwrap();
    for (agent, most) in [("a", 9), ("b", 7)] {
        for (n, claimed) in w.claim_as("w1", agent, most).await.iter().enumerate() {
            let held = &claimed.held;
            match n % 4 {
                0 => drop(
                    w.store()
                        .finish(held, &completed(1, 1), LEASE)
                        .await
                        .unwrap(),
                ),
                1 => drop(w.store().finish(held, &failed(1, 1), LEASE).await.unwrap()),
                2 => drop(
                    w.store()
                        .back_off(held, 1, LEASE, &failure())
                        .await
                        .unwrap(),
                ),
                _ => {}
            }
        }
    }
    batch
}

fn agents() -> Vec<AgentName> {
    vec!["a".parse().unwrap(), "b".parse().unwrap()]
}

async fn all(w: &World, filter: &ListFilter, limit: usize) -> Vec<TaskRecord> {
    let (mut found, mut cursor) = (Vec::new(), None::<ListCursor>);
    for _ in 0..1_000 {
        let page = w
            .store()
            .list_tasks(filter, &agents(), cursor.as_ref(), limit)
            .await
            .unwrap();
        assert!(page.tasks.len() <= limit);
        found.extend(page.tasks);
        match page.next {
            // As it travels.
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
            None => return found,
        }
    }
    panic!("a list without an end: {filter:?}");
}

fn fits(filter: &ListFilter, task: &TaskRecord) -> bool {
    let made = Ulid::from_string(task.id.unique()).unwrap().timestamp_ms();
    let ended = task.finished_ms.map(|ms| u64::try_from(ms).unwrap());
    (filter.states.is_empty() || filter.states.contains(&task.state))
        && (filter.worker.is_none() || filter.worker == task.worker)
        && filter
            .ended_from_ms
            .is_none_or(|ms| ended.is_some_and(|at| at >= ms))
        && filter
            .ended_before_ms
            .is_none_or(|ms| ended.is_some_and(|at| at < ms))
        && filter.agent.as_ref().is_none_or(|a| *a == task.agent)
        && filter.owners.include(&task.owner)
        && (filter.batch.is_none() || filter.batch == task.batch)
        && filter.from_ms.is_none_or(|ms| made >= ms)
        && filter.before_ms.is_none_or(|ms| made < ms)
        && filter.text.as_ref().is_none_or(|text| {
            let text = text.to_lowercase();
            let labels = task.metadata.iter().flat_map(|(k, v)| [k, v]);
            task.id.as_str().contains(&text)
                || labels.into_iter().any(|t| t.to_lowercase().contains(&text))
        })
}

/// Everybody's tasks, an owner's, those of several, nobody's; and whether cursors may name tasks of others.
fn whose() -> Vec<(Owners, bool)> {
    let some = |names: &[&str]| Owners::Only(names.iter().copied().map(owner).collect());
    vec![
        (Owners::All, false),
        (some(&["o1"]), false),
        (some(&["o0"]), true),
        (some(&["o2", "o0"]), true),
        (some(&["nobody"]), false),
        (some(&[]), true),
    ]
}

on_servers! {
    async fn every_filter_finds_what_fits(w) {
        let batch = fill(w).await;
        let everything = all(w, &ListFilter::default(), 50).await;
        assert_eq!(everything.len(), 60);
        let mut ends: Vec<i64> = everything.iter().filter_map(|t| t.finished_ms).collect();
        ends.sort_unstable();
        let middle = u64::try_from(ends[ends.len() / 2]).unwrap();
        let mut states: Vec<Vec<TaskState>> = TaskState::ALL.into_iter().map(|s| vec![s]).collect();
        states.extend([
            vec![],
            vec![TaskState::Failed, TaskState::Queued],
            vec![TaskState::Backoff, TaskState::Processing, TaskState::Scheduled, TaskState::Cancelled],
            vec![TaskState::Completed, TaskState::Failed, TaskState::Cancelled],
            TaskState::ALL.to_vec(),
        ]);
        let mut filters = Vec::new();
        for states in states {
            for agent in [None, Some("a")] {
                for (owners, private) in whose() {
                    for rest in 0..8 {
                        let filter = ListFilter {
                            states: states.clone(),
                            agent: agent.map(|name| name.parse().unwrap()),
                            owners: owners.clone(),
                            private,
                            ..ListFilter::default()
                        };
                        filters.push(match rest {
                            0 => filter,
                            1 => ListFilter { batch: Some(batch.clone()), ..filter },
                            2 => ListFilter { text: Some("firm 3".to_owned()), ..filter },
                            3 => ListFilter { ended_from_ms: Some(middle), ..filter },
                            4 => ListFilter { ended_before_ms: Some(middle), batch: Some(batch.clone()), ..filter },
                            5 => ListFilter { worker: Some("w1".parse().unwrap()), ..filter },
                            6 => ListFilter { from_ms: Some(FIRST + 12_000), before_ms: Some(FIRST + 45_000), ..filter },
                            _ => ListFilter { before_ms: Some(FIRST + 30_000), text: Some("FIRM".to_owned()), ..filter },
                        });
                    }
                }
            }
        }
        for filter in filters {
            let mut expected: Vec<&TaskId> = everything.iter().filter(|t| fits(&filter, t)).map(|t| &t.id).collect();
            expected.sort_unstable();
            for limit in [1, 7, 200] {
                let found = all(w, &filter, limit).await;
                let part = |t: &&TaskRecord| match t.state {
                    _ if filter.states.is_empty() || filter.batch.is_some() => 0,
                    TaskState::Processing => 1,
                    state if state.is_terminal() => 2,
                    _ => 0,
                };
                let refs: Vec<&TaskRecord> = found.iter().collect();
                assert!(refs.is_sorted_by_key(part), "part after part: {filter:?}");
                for part in refs.chunk_by(|a, b| part(a) == part(b)) {
                    let ended = part.iter().all(|t| t.state.is_terminal()) && filter.batch.is_none();
                    let by_id = part.is_sorted_by(|a, b| a.id.unique() > b.id.unique());
                    let by_end = part.is_sorted_by(|a, b| a.finished_ms >= b.finished_ms);
                    assert!(by_id || (ended && by_end), "newest first: {filter:?}");
                }
                let mut found: Vec<&TaskId> = found.iter().map(|t| &t.id).collect();
                found.sort_unstable();
                assert_eq!(found, expected, "{filter:?} {limit}");
            }
        }
    }

    async fn an_id_is_found_at_once(w) {
        fill(w).await;
        let id = w.store().list_ids(&ListFilter::default(), &agents(), None, 7).await.unwrap().ids.pop().unwrap();
        let text = format!(" {} ", id.as_str().to_uppercase());
        let filter = ListFilter { text: Some(text), ..ListFilter::default() };
        let found = all(w, &filter, 5).await;
        assert_eq!(found.iter().map(|t| &t.id).collect::<Vec<_>>(), [&id]);
        let other = ListFilter { agent: Some("nobody".parse().unwrap()), ..filter };
        assert!(all(w, &other, 5).await.is_empty(), "the other filters hold");
    }
}
