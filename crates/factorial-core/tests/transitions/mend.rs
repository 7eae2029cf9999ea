//! `reconcile` of waits: each damage is repaired, nobody stays parked, and a healthy tree is left alone.

use std::time::Duration;

use factorial_core::{Held, ParkedFor, TaskState, WaitKind, WaitOutcome, WaitStatus};

use crate::{
    reconcile::{repaired, round},
    world::{LEASE, World, approval, asks, call, child_of, completed},
};

/// A parked task that awaits a child (c1), an operator (c2) and an approval (c3), and a child that runs.
async fn parked(w: &World) -> Held {
    let held = w.held("A").await;
    let child = w.held_child("C", &held, Some(child_of("c1"))).await;
    let mut operator = asks(WaitKind::Operator, call("c2"));
    operator.timeout = Some(Duration::from_secs(60));
    let waits = vec![operator, asks(WaitKind::Approval, approval("c3"))];
    w.await_all(&held, waits).await;
    w.park(&held, 2, ParkedFor::Answers).await;
    child
}

/// A parked task that awaits one child.
async fn parked_for_child(w: &World) -> Held {
    let held = w.held("A").await;
    let child = w.held_child("C", &held, Some(child_of("c1"))).await;
    w.park(&held, 1, ParkedFor::Children).await;
    child
}

on_each! {
    async fn a_healthy_tree_is_left_alone(w) {
        let child = parked(w).await;
        w.refused(async { Ok::<_, ()>(round(w).await) }, 0).await;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(round(w).await, 0);
        w.store().cancel(&w.id("A"), None).await.unwrap();
        assert_eq!(round(w).await, 0);
    }

    async fn lost_entries_are_made_again(w) {
        parked(w).await;
        let member = |kind: &str, key: &str| {
            let id = w.id("A");
            if kind.is_empty() { format!("{id} {key}") } else { format!("{kind} a o {id} {key}") }
        };
        for (index, member) in [
            ("await", member("", "c2")), ("asked", member("operator", "c2")), ("asked", member("approval", "a:c3")),
        ] {
            let before = w.snapshot();
            repaired(w, async || { assert_eq!(w.raw::<i64>("ZREM", index, &[&member]), 1); }).await;
            assert!(before == w.snapshot(), "as it was before");
        }
    }

    async fn entries_of_nothing_go(w) {
        let child = parked(w).await;
        for key in ["c1/0", "c2", "a:c3"] {
            let member = format!("approval a o {} {key}", w.id("A"));
            if key != "a:c3" {
                repaired(w, async || { let _: i64 = w.raw("ZADD", "asked", &["5", &member]); }).await;
            }
        }
        let ghost = "approval a o 0-01arz3ndektsv4rrffq69g5fav a:c3";
        repaired(w, async || { let _: i64 = w.raw("ZADD", "asked", &["5", ghost]); }).await;
        let ghost = "0-01arz3ndektsv4rrffq69g5fav c3";
        repaired(w, async || { let _: i64 = w.raw("ZADD", "await", &["99999999999999", ghost]); }).await;
        let member = format!("{} a:c3", w.id("A"));
        repaired(w, async || { let _: i64 = w.raw("ZADD", "await", &["99999999999999", &member]); }).await;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        w.store().cancel(&w.id("A"), None).await.unwrap();
        repaired(w, async || { let _: i64 = w.raw("ZADD", "await", &["99999999999999", &member]); }).await;
    }

    async fn a_wrong_count_is_counted_again(w) {
        parked(w).await;
        for count in ["0", "2", "4", "-1"] {
            repaired(w, async || { let _: i64 = w.raw("HSET", "t:{A}", &["awaited", count]); }).await;
            assert_eq!(w.raw::<i64>("HGET", "t:{A}", &["awaited"]), 3);
        }
        repaired(w, async || { let _: i64 = w.raw("HDEL", "t:{A}", &["awaited"]); }).await;
        assert_eq!(w.state("A").await, Some(TaskState::PendingToolResults));
    }

    async fn a_child_that_was_lost_is_not_waited_for(w) {
        let child = parked_for_child(w).await;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        // As if its end had not reached the parent.
        let id = child.id.to_string();
        w.claim(1).await;
        let held = w.claim(1).await;
        assert!(held.is_empty());
        let open = format!("? child 5 0 {id}");
        let _: i64 = w.raw("HSET", "t:{A}:w", &["c1/0", &open]);
        let _: i64 = w.raw("HSET", "t:{A}", &["awaited", "1"]);
        assert_eq!(round(w).await, 1);
        let waits = w.store().waits(&w.id("A")).await.unwrap();
        assert!(matches!(waits[0].status, WaitStatus::Answered { outcome: WaitOutcome::Completed, .. }), "{waits:?}");
        let _: i64 = w.raw("HSET", "t:{A}:w", &["c1/0", &open]);
        let _: i64 = w.raw("HSET", "t:{A}", &["awaited", "1"]);
        w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 10).await.unwrap();
        assert_eq!(round(w).await, 1);
        let waits = w.store().waits(&w.id("A")).await.unwrap();
        assert!(matches!(waits[0].status, WaitStatus::Answered { outcome: WaitOutcome::Closed, .. }), "{waits:?}");
    }

    async fn a_parked_task_without_a_wait_is_queued(w) {
        let child = parked_for_child(w).await;
        let _: i64 = w.raw("DEL", "t:{A}:w", &[]);
        assert_eq!((round(w).await, w.state("A").await), (1, Some(TaskState::Queued)));
        assert_eq!(round(w).await, 0);
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
    }

    async fn a_parked_task_that_lost_its_count_too_is_queued(w) {
        let child = parked_for_child(w).await;
        let _: i64 = w.raw("DEL", "t:{A}:w", &[]);
        let _: i64 = w.raw("HDEL", "t:{A}", &["awaited"]);
        assert_eq!((round(w).await, w.state("A").await), (1, Some(TaskState::Queued)));
        assert_eq!(round(w).await, 0);
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
    }
}
