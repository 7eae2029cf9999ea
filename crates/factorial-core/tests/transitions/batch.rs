//! Batches: opening, filling, sealing, and what the end of each member does to its batch.

use std::{collections::BTreeMap, time::Duration};

use factorial_core::{
    BatchId, BatchState, CancelBatchOutcome, CancelOutcome, Enqueued, Idempotency, NewBatch,
    OpenedBatch, RetryOutcome, SealedBatch, TaskState,
};
use ulid::Ulid;

use crate::world::{LEASE, World, completed, failed, owner, turn};

const DAY: Duration = Duration::from_secs(86_400);

/// A batch named `X`, not yet opened; its members are `M0`, `M1` and so on.
fn batch(w: &World, members: u64, turns_each: Option<u32>) -> NewBatch {
    let id = BatchId::new(w.partition, Ulid::from_parts(1_700_000_000_000, 1 << 40));
    w.known("X", &id.as_str().parse().unwrap());
    for index in 0..members {
        w.known(&format!("M{index}"), &id.member(index));
    }
    NewBatch {
        id,
        owner: owner("o"),
        members,
        turns_each,
        webhook: None,
        metadata: BTreeMap::new(),
        idempotency: None,
    }
}

async fn open(w: &World, members: u64, turns_each: Option<u32>) -> BatchId {
    let new = batch(w, members, turns_each);
    let opened = w.store().open_batch(&new).await.unwrap();
    assert_eq!(opened, OpenedBatch::Opened);
    new.id
}

async fn member(w: &World, batch: &BatchId, index: u64) -> Enqueued {
    let mut task = w.task(&format!("unused{index}"));
    task.id = batch.member(index);
    task.batch = Some(batch.clone());
    w.store().enqueue(&task).await.unwrap()
}

/// With all its members, sealed.
async fn filled(w: &World, members: u64, turns_each: Option<u32>) -> BatchId {
    let id = open(w, members, turns_each).await;
    for index in 0..members {
        let outcome = member(w, &id, index).await;
        assert!(matches!(outcome, Enqueued::Accepted(TaskState::Queued, _)));
    }
    let sealed = w.store().seal_batch(&id, false).await.unwrap();
    assert_eq!(sealed, SealedBatch::Sealed(BatchState::Running, members));
    id
}

async fn types(w: &World, id: &BatchId) -> Vec<String> {
    let (events, _) = w.store().batch_events(id, 0, 1000).await.unwrap();
    events.into_iter().map(|e| e.event_type).collect()
}

on_each! {
    async fn opened_once(w) {
        let mut new = batch(w, 2, Some(5));
        new.metadata = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        w.step(w.store().open_batch(&new), OpenedBatch::Opened, r#"
            + b:X accepted = 0
            + b:X created = now
            + b:X members = 2
            + b:X metadata = {"k":"v"}
            + b:X owner = o
            + b:X state = filling
            + b:X turns_each = 5
            + b:X:e[0] = now 0 0 batch_started {"members":2}
            + batches X = 0
            + filling X = now+3600s
            + ib:o X = 0
        "#).await;
        w.refused(w.store().open_batch(&new), OpenedBatch::Exists(new.id.clone())).await;
        let record = w.store().batch(&new.id).await.unwrap().unwrap();
        assert_eq!((record.state, record.members, record.span, record.total()), (BatchState::Filling, 2, 2, 10));
    }

    async fn the_key_tells_requests_apart(w) {
        let key = |request: &[u8]| Some(Idempotency::new(&owner("o"), "k", request, DAY));
        let mut new = batch(w, 1, None);
        new.idempotency = key(b"one");
        assert_eq!(w.store().open_batch(&new).await.unwrap(), OpenedBatch::Opened);
        let first = new.id.clone();
        new.id = BatchId::new(w.partition, Ulid::from_parts(1_700_000_000_000, 1 << 50));
        w.refused(w.store().open_batch(&new), OpenedBatch::Exists(first)).await;
        new.idempotency = key(b"two");
        w.refused(w.store().open_batch(&new), OpenedBatch::KeyReused).await;
    }

    async fn one_without_members_ends_at_once(w) {
        let new = batch(w, 0, Some(3));
        w.step(w.store().open_batch(&new), OpenedBatch::Opened, r#"
            + b:X accepted = 0
            + b:X created = now
            + b:X finished = now
            + b:X members = 0
            + b:X metadata = {}
            + b:X owner = o
            + b:X percent = 100
            + b:X state = completed
            + b:X turns_each = 3
            + b:X:e[0] = now 0 0 batch_started {"members":0}
            + b:X:e[1] = now 0 0 batch_progress {"progress":100,"members":0,"completed":0,"failed":0,"cancelled":0}
            + b:X:e[2] = now 0 0 batch_completed {"progress":100,"members":0,"completed":0,"failed":0,"cancelled":0}
            + batches X = 0
            + done:batch X = now
            + ib:o X = 0
        "#).await;
    }

    async fn members_count_once_and_only_while_it_fills(w) {
        let id = open(w, 2, None).await;
        assert!(matches!(member(w, &id, 0).await, Enqueued::Accepted(TaskState::Queued, _)));
        assert_eq!(member(w, &id, 0).await, Enqueued::Exists(id.member(0)));
        let record = w.store().batch(&id).await.unwrap().unwrap();
        assert_eq!((record.accepted, record.counts.clone()), (1, BTreeMap::from([(TaskState::Queued, 1)])));
        w.refused(w.store().seal_batch(&id, true), SealedBatch::NotDue).await;
        w.step(w.store().seal_batch(&id, false), SealedBatch::Sealed(BatchState::Running, 1), r#"
            ~ b:X members: 2 -> 1
            + b:X span = 2
            ~ b:X state: filling -> running
            - filling X = later
        "#).await;
        w.refused(w.store().seal_batch(&id, true), SealedBatch::Sealed(BatchState::Running, 1)).await;
        w.refused(async { Ok::<_, ()>(member(w, &id, 1).await) }, Enqueued::BatchClosed).await;
        assert_eq!(member(w, &id, 0).await, Enqueued::Exists(id.member(0)));
        let nobody = BatchId::new(w.partition, Ulid::from_parts(1, 1));
        w.refused(w.store().seal_batch(&nobody, false), SealedBatch::NotFound).await;
        w.refused(async { Ok::<_, ()>(member(w, &nobody, 1).await) }, Enqueued::BatchClosed).await;
    }

    async fn one_that_ends_before_it_is_sealed(w) {
        let id = open(w, 1, None).await;
        member(w, &id, 0).await;
        let held = w.claim(1).await.remove(0).held;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(types(w, &id).await, ["batch_started", "batch_progress"]);
        w.step(w.store().seal_batch(&id, false), SealedBatch::Sealed(BatchState::Completed, 1), r#"
            + b:X finished = now
            ~ b:X percent: 99 -> 100
            ~ b:X state: filling -> completed
            + b:X:e[2] = now 0 0 batch_progress {"progress":100,"members":1,"completed":1,"failed":0,"cancelled":0}
            + b:X:e[3] = now 0 0 batch_completed {"progress":100,"members":1,"completed":1,"failed":0,"cancelled":0}
            + done:batch X = now
            - filling X = later
        "#).await;
    }

    async fn progress_in_turns_is_kept_through_a_retry(w) {
        let id = filled(w, 2, Some(4)).await;
        let done = async || w.store().batch(&id).await.unwrap().unwrap().done;
        let held = w.claim(1).await.remove(0).held;
        w.store().commit(&held, &turn(1, 1, 1), true, LEASE).await.unwrap();
        assert_eq!(done().await, 1);
        // The same write again counts nothing.
        w.store().commit(&held, &turn(1, 1, 1), true, LEASE).await.unwrap();
        assert_eq!(done().await, 1);
        w.store().finish(&held, &failed(2, 2), LEASE).await.unwrap();
        assert_eq!(done().await, 4);
        let spent = w.store().batch(&id).await.unwrap().unwrap().spent;
        assert_eq!((spent.tasks, spent.usage.input, spent.usage.output), (1, 10, 2));
        assert_eq!(w.store().retry(&held.id, None).await.unwrap(), RetryOutcome::Queued);
        let record = w.store().batch(&id).await.unwrap().unwrap();
        assert_eq!((record.done, record.spent.tasks, record.spent.usage.input), (4, 0, 0));
        assert_eq!(record.counts, BTreeMap::from([(TaskState::Queued, 2)]));
        for _ in 0..2 {
            let claimed = w.claim(1).await.remove(0);
            let next = claimed.record.turns + 1;
            w.store().commit(&claimed.held, &turn(1, claimed.length, next), true, LEASE).await.unwrap();
            assert!((4..8).contains(&done().await));
            w.store().finish(&claimed.held, &completed(2, claimed.length + 1), LEASE).await.unwrap();
        }
        let record = w.store().batch(&id).await.unwrap().unwrap();
        assert_eq!((record.state, record.done, record.total()), (BatchState::Completed, 8, 8));
        assert_eq!((record.spent.tasks, record.spent.usage.input), (2, 30));
        assert_eq!(types(w, &id).await.iter().filter(|t| t.ends_with("completed")).count(), 1);
    }

    async fn more_turns_than_planned_count_as_planned(w) {
        let id = filled(w, 1, Some(1)).await;
        let held = w.claim(1).await.remove(0).held;
        for n in 1..4 {
            let known = u64::from(n);
            w.store().commit(&held, &turn(known, known, n), true, LEASE).await.unwrap();
        }
        assert_eq!(w.store().batch(&id).await.unwrap().unwrap().done, 1);
        assert_eq!(types(w, &id).await, ["batch_started", "batch_progress"]);
        w.store().finish(&held, &completed(4, 4), LEASE).await.unwrap();
        assert_eq!(w.store().batch(&id).await.unwrap().unwrap().state, BatchState::Completed);
    }

    async fn a_member_that_is_cancelled_counts(w) {
        let id = filled(w, 1, None).await;
        w.step(w.store().cancel(&id.member(0), None), CancelOutcome::Cancelled, r#"
            + b:X cancelled = 1
            + b:X done = 1
            + b:X ended = 1
            + b:X finished = now
            + b:X percent = 100
            ~ b:X queued: 1 -> 0
            + b:X spent = 1 0 0 0 0 0
            ~ b:X state: running -> completed
            + b:X:e[1] = now 0 0 batch_progress {"progress":100,"members":1,"completed":0,"failed":0,"cancelled":1}
            + b:X:e[2] = now 0 0 batch_completed {"progress":100,"members":1,"completed":0,"failed":0,"cancelled":1}
            + done:batch X = now
            + done:cancelled M0 = now
            + mt:a:86400000:past cancelled = 1
            + n a:cancelled = 1
            ~ n a:queued: 1 -> 0
            - q:a 5:o = p5#1
            - r:a:5:o M0 = past
            + t:M0 finished = now
            ~ t:M0 state: queued -> cancelled
            + t:M0:e[0] = now 0 0 run_cancelled {"reason":null}
        "#).await;
    }

    async fn cancelled_with_all_members_wherever_they_are(w) {
        // Members are accepted in any order: the third and the fifth are there, and one of them has a child.
        let id = open(w, 6, None).await;
        for index in [2, 4] {
            member(w, &id, index).await;
        }
        let held = w.claim(1).await.remove(0).held;
        w.child("C", &held, None).await;
        let outcome = w.store().cancel_batch(&id, Some("why")).await.unwrap();
        assert_eq!(outcome, CancelBatchOutcome::Cancelled);
        let record = w.store().batch(&id).await.unwrap().unwrap();
        assert_eq!((record.state, record.members, record.span, record.accepted), (BatchState::Cancelled, 2, 6, 2));
        assert_eq!(record.counts, BTreeMap::from([(TaskState::Cancelled, 2)]));
        assert_eq!(record.reason.as_deref(), Some("why"));
        assert_eq!(w.state("C").await, Some(TaskState::Cancelled));
        assert_eq!(types(w, &id).await.last().unwrap(), "batch_cancelled");
        assert_eq!(member(w, &id, 0).await, Enqueued::BatchClosed);
        w.refused(w.store().cancel_batch(&id, None), CancelBatchOutcome::Finished(BatchState::Cancelled)).await;
        let nobody = BatchId::new(w.partition, Ulid::from_parts(1, 1));
        w.refused(w.store().cancel_batch(&nobody, None), CancelBatchOutcome::NotFound).await;
    }

    async fn a_cancellation_goes_on_where_it_stopped(w) {
        let id = filled(w, 5, None).await;
        let held = w.claim(1).await.remove(0).held;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        // As cancel_batch leaves it whose caller dies at once.
        let _: i64 = w.raw("HSET", "b:{X}", &["state", "cancelling"]);
        let _: i64 = w.raw("ZADD", "cancelling", &["1", "X"]);
        let found = w.store().unsettled_batches(w.partition, 10).await.unwrap();
        assert_eq!((found.cancelling, found.overdue), (vec![id.clone()], vec![]));
        let mut cancelled = Vec::new();
        loop {
            let step = w.store().cancel_members(&id, 2).await.unwrap();
            cancelled.push(step.cancelled);
            if !step.more {
                break;
            }
        }
        assert_eq!(cancelled, [1, 2, 1]);
        let record = w.store().batch(&id).await.unwrap().unwrap();
        assert_eq!(record.state, BatchState::Cancelled);
        assert_eq!(record.counts, BTreeMap::from([(TaskState::Completed, 1), (TaskState::Cancelled, 4)]));
        let found = w.store().unsettled_batches(w.partition, 10).await.unwrap();
        assert!(found.cancelling.is_empty());
        assert_eq!(w.store().cancel_members(&id, 2).await.unwrap().cancelled, 0);
    }

    async fn members_stay_until_their_batch_has_ended(w) {
        let id = filled(w, 2, None).await;
        let first = w.claim(1).await.remove(0).held;
        w.store().finish(&first, &completed(1, 1), LEASE).await.unwrap();
        let expire = async || {
            let tasks = w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 10).await.unwrap().count;
            let batches = w.store().expire_batches(w.partition, Duration::ZERO, 10).await.unwrap().count;
            (tasks, batches)
        };
        assert_eq!(expire().await, (0, 0));
        let second = w.claim(1).await.remove(0).held;
        w.store().finish(&second, &completed(1, 1), LEASE).await.unwrap();
        factorial_tests::eventually(Duration::from_secs(5), async || {
            expire().await;
            let left = w.store().batch(&id).await.unwrap().is_some()
                || w.state("M0").await.is_some()
                || w.state("M1").await.is_some();
            (!left).then_some(())
        }).await;
        let rest = w.snapshot();
        let rest = format!("{rest:?}");
        assert!(!rest.contains(id.unique()), "{rest}");
        let page = w.store().list_batches(&factorial_core::Owners::All, None, 10).await.unwrap();
        assert!(page.batches.is_empty());
    }
}
