//! A Redis that is out of memory, and one that has forgotten the scripts.

use std::{sync::Arc, time::Duration};

use factorial_core::{
    CancelOutcome, CommitOutcome, Enqueued, FinishOutcome, ParkOutcome, ParkedFor, RecoverPolicy,
    RetryOutcome, Settled, StoreError, TaskState, WriteOutcome,
};
use factorial_local_redis::Listen;
use factorial_tests::{StoreSetup, TestRedis};

use crate::world::{LEASE, World, child_of, completed, failed, failure, message, turn};

async fn private() -> World {
    let start = || TestRedis::private(Listen::Unix, &[("appendonly", "no")]);
    let redis: Arc<TestRedis> = tokio::task::spawn_blocking(start).await.unwrap();
    World::on(
        StoreSetup {
            redis,
            partitions: 1,
            namespace: None,
        },
        1_000_000,
    )
    .await
}

fn maxmemory(w: &World, bytes: &str) {
    let _: String = w.test.raw(&["CONFIG", "SET", "maxmemory", bytes]);
}

#[tokio::test]
async fn a_full_redis_takes_nothing_new_and_finishes_what_it_has() {
    let w = private().await;
    for i in 0..9 {
        w.enqueue(&format!("A{i}")).await;
    }
    let webhook = factorial_core::Receiver {
        url: "https://x/".to_owned(),
        events: Vec::new(),
        secret: None,
    };
    let told = w
        .enqueue_with("told", |task| {
            task.webhook = Some(factorial_core::TaskWebhook::Own(webhook));
        })
        .await;
    let held: Vec<_> = w.claim(7).await.into_iter().map(|c| c.held).collect();
    let parent = &held[6].id;
    w.child("child", &held[6], Some(child_of("call"))).await;
    maxmemory(&w, "1");
    let store = w.store();

    let task = w.task("new");
    let (refused, changed) = w.changes(store.enqueue(&task)).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert_eq!(changed, "");
    let messages = [message("one")];
    let steer = factorial_core::Steer {
        messages: &messages,
        interrupt: false,
        client_id: "c",
    };
    assert!(matches!(
        store.steer(&held[0].id, &steer).await,
        Err(StoreError::Full)
    ));

    assert_eq!(
        store.renew(&held, LEASE).await.unwrap(),
        [],
        "a heartbeat needs no memory"
    );
    let commit = turn(1, 1, 1);
    assert_eq!(
        store.commit(&held[0], &commit, true, LEASE).await.unwrap(),
        CommitOutcome::Committed(vec![])
    );
    assert_eq!(
        store
            .finish(&held[0], &completed(2, 2), LEASE)
            .await
            .unwrap(),
        FinishOutcome::Finished
    );
    assert_eq!(
        store.finish(&held[1], &failed(1, 1), LEASE).await.unwrap(),
        FinishOutcome::Finished
    );
    assert_eq!(
        store.cancel(&held[2].id, None).await.unwrap(),
        CancelOutcome::Cancelled
    );
    assert_eq!(
        store.cancel(&told, None).await.unwrap(),
        CancelOutcome::Cancelled
    );
    let lease = Duration::from_secs(60);
    for again in [Settled::Again(Duration::ZERO), Settled::Failed] {
        let due = store.due_deliveries(w.partition, 10, lease).await.unwrap();
        let settled = store.settle_delivery(&due.due[0], again, "500", Duration::ZERO);
        assert!(settled.await.unwrap());
    }
    let delivery = store.task_deliveries(&told).await.unwrap().remove(0);
    assert!(store.retry_delivery(&delivery.id, None).await.unwrap());
    let due = store
        .due_deliveries(w.partition, 10, lease)
        .await
        .unwrap()
        .due;
    let later = [(due[0].clone(), Duration::ZERO)];
    store.defer_deliveries(w.partition, &later).await.unwrap();
    assert_eq!(
        store.release(&held[3], 1).await.unwrap(),
        WriteOutcome::Written
    );
    assert_eq!(
        store
            .back_off(&held[4], 1, Duration::ZERO, &failure())
            .await
            .unwrap(),
        WriteOutcome::Written
    );
    let parked = store.park(&held[6], 1, ParkedFor::Children, LEASE).await;
    assert_eq!(parked.unwrap(), ParkOutcome::Parked);
    assert_eq!(store.promote(w.partition, 10).await.unwrap().count, 1);
    // A seed is no script: it needs memory for a moment.
    maxmemory(&w, "0");
    w.expire_lease(&w.name_of(&held[5].id));
    maxmemory(&w, "1");
    let policy = RecoverPolicy {
        max_recoveries: 3,
        most: 10,
    };
    assert_eq!(
        store.recover(w.partition, policy).await.unwrap().recovered,
        1
    );
    assert_eq!(
        store.cancel(parent, None).await.unwrap(),
        CancelOutcome::Cancelled
    );
    assert_eq!(w.state("child").await, Some(TaskState::Cancelled));
    assert_eq!(
        store.retry(&held[1].id, None).await.unwrap(),
        RetryOutcome::Queued
    );
    assert_eq!(w.claim(10).await.len(), 6);
    let expired = store
        .expire(w.partition, TaskState::Completed, Duration::ZERO, 10)
        .await
        .unwrap();
    assert_eq!(expired.count, 1);
    assert_eq!(w.test.violations(), []);

    maxmemory(&w, "0");
    assert_eq!(
        w.accept(&task).await.unwrap(),
        Enqueued::Accepted(TaskState::Queued, 0)
    );
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let w = private().await;
    for round in 0..3 {
        let name = format!("A{round}");
        w.enqueue(&name).await;
        let _: String = w.test.raw(&["SCRIPT", "FLUSH"]);
        let held = w.claim(1).await.remove(0).held;
        let _: String = w.test.raw(&["SCRIPT", "FLUSH", "ASYNC"]);
        w.store()
            .renew(std::slice::from_ref(&held), LEASE)
            .await
            .unwrap();
        // Several at once find the script missing.
        let _: String = w.test.raw(&["SCRIPT", "FLUSH"]);
        let states =
            futures::future::join_all((0..8).map(|_| w.store().cancel(&held.id, None))).await;
        let cancelled = states
            .iter()
            .filter(|s| matches!(s, Ok(CancelOutcome::Cancelled)))
            .count();
        assert_eq!((cancelled, states.len()), (1, 8));
        assert!(states.iter().all(Result::is_ok));
    }
}
