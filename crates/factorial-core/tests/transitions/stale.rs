//! A worker that has lost its lease, in each way that there is, is refused on each of its writes, and nothing is written.

use std::time::Duration;

use factorial_core::{
    CommitOutcome, Enqueued, FinishOutcome, Held, Lost, ParkOutcome, ParkedFor, RecoverPolicy,
    TaskState, WriteOutcome,
};

use crate::world::{LEASE, World, child_of, completed, failed, failure, spawned, turn};

async fn every_write_is_refused(w: &World, held: &Held, state: Option<TaskState>) {
    let store = w.store();
    w.refused(
        store.commit(held, &turn(9, 1, 1), true, LEASE),
        CommitOutcome::Stale(state),
    )
    .await;
    w.refused(
        store.finish(held, &completed(9, 1), LEASE),
        FinishOutcome::Stale(state),
    )
    .await;
    w.refused(
        store.finish(held, &failed(9, 1), LEASE),
        FinishOutcome::Stale(state),
    )
    .await;
    w.refused(store.release(held, 9), WriteOutcome::Stale(state))
        .await;
    let failure = failure();
    w.refused(
        store.back_off(held, 9, LEASE, &failure),
        WriteOutcome::Stale(state),
    )
    .await;
    w.refused(
        store.park(held, 9, ParkedFor::Answers, LEASE),
        ParkOutcome::Stale(state),
    )
    .await;
    let mut child = w.task("child");
    child.parent = Some(spawned(held, Some(child_of("call"))));
    w.refused(w.accept(&child), Enqueued::ParentLost).await;
    let lost = Lost {
        held: held.clone(),
        state,
    };
    w.refused(store.renew(std::slice::from_ref(held), LEASE), vec![lost])
        .await;
}

async fn recover(w: &World) {
    w.expire_lease("A");
    let policy = RecoverPolicy {
        max_recoveries: 3,
        most: 10,
    };
    assert_eq!(
        w.store()
            .recover(w.partition, policy)
            .await
            .unwrap()
            .recovered,
        1
    );
}

on_each! {
    async fn after_a_recovery(w) {
        let held = w.held("A").await;
        recover(w).await;
        every_write_is_refused(w, &held, Some(TaskState::Queued)).await;
    }

    async fn after_another_claim(w) {
        let held = w.held("A").await;
        recover(w).await;
        let next = w.claim_as("w2", "a", 1).await.remove(0).held;
        assert!(next.token > held.token);
        every_write_is_refused(w, &held, Some(TaskState::Processing)).await;
        // Not even a number that the new holder has used is taken for a replay.
        w.store().commit(&next, &turn(9, 1, 1), false, LEASE).await.unwrap();
        every_write_is_refused(w, &held, Some(TaskState::Processing)).await;
    }

    async fn after_its_end(w) {
        let held = w.held("A").await;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        every_write_is_refused(w, &held, Some(TaskState::Completed)).await;
    }

    async fn after_a_cancellation(w) {
        let held = w.held("A").await;
        w.store().cancel(&held.id, Some("enough")).await.unwrap();
        every_write_is_refused(w, &held, Some(TaskState::Cancelled)).await;
    }

    async fn after_a_backoff(w) {
        let held = w.held("A").await;
        w.store().back_off(&held, 1, LEASE, &failure()).await.unwrap();
        every_write_is_refused(w, &held, Some(TaskState::Backoff)).await;
    }

    async fn after_a_deadline(w) {
        w.enqueue_with("A", |t| t.deadline = Some(Duration::ZERO)).await;
        let held = w.claim(1).await.remove(0).held;
        assert_eq!(w.store().enforce_deadlines(w.partition, 10).await.unwrap().count, 1);
        every_write_is_refused(w, &held, Some(TaskState::Failed)).await;
    }

    async fn after_its_expiry(w) {
        let held = w.held("A").await;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 10).await.unwrap();
        every_write_is_refused(w, &held, None).await;
    }
}
