//! `reconcile`: each damage to an index is repaired, and nothing else is touched.

use factorial_core::{ReconcilePage, RecoverPolicy, Start, TaskState, Walk};

use crate::world::{LEASE, World, completed, failed, failure};

const GHOST: &str = "0-01arz3ndektsv4rrffq69g5fav";

fn walks() -> Vec<Walk> {
    let done = [
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
    ]
    .map(Walk::Done);
    let mut all = vec![
        Walk::Agent("a".parse().unwrap()),
        Walk::Leases,
        Walk::Delays,
        Walk::Pending,
        Walk::Awaits,
        Walk::Asked,
    ];
    all.extend(done);
    all
}

/// One round over everything: tasks repaired.
pub(crate) async fn round(w: &World) -> u64 {
    let mut repaired = 0;
    for walk in walks() {
        let mut cursor = None;
        loop {
            let page = w
                .store()
                .reconcile(w.partition, &walk, cursor.as_deref(), 100)
                .await
                .unwrap();
            repaired += page.repaired;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
    }
    repaired
}

/// A task in each state.
async fn one_of_each(w: &World) {
    for name in [
        "backoff",
        "completed",
        "failed",
        "cancelled",
        "processing",
        "queued",
    ] {
        w.enqueue_with(name, |t| t.deadline = Some(LEASE)).await;
    }
    w.enqueue_with("scheduled", |t| t.start = Start::After(LEASE))
        .await;
    let held: Vec<_> = w.claim(5).await.into_iter().map(|c| c.held).collect();
    w.store()
        .back_off(&held[0], 1, LEASE, &failure())
        .await
        .unwrap();
    w.store()
        .finish(&held[1], &completed(1, 1), LEASE)
        .await
        .unwrap();
    w.store()
        .finish(&held[2], &failed(1, 1), LEASE)
        .await
        .unwrap();
    w.store().cancel(&held[3].id, None).await.unwrap();
}

/// Damages, repairs, and repairs nothing after that.
pub(crate) async fn repaired(w: &World, damage: impl AsyncFnOnce()) {
    damage().await;
    assert!(!w.test.violations().is_empty(), "no damage was done");
    let repaired = round(w).await;
    assert!(repaired > 0);
    assert_eq!(w.test.violations(), []);
    assert_eq!(round(w).await, 0);
}

on_each! {
    async fn a_healthy_namespace_is_left_alone(w) {
        one_of_each(w).await;
        w.refused(async { Ok::<_, ()>(round(w).await) }, 0).await;
        let page = w.store().reconcile(w.partition, &walks()[0], None, 100).await.unwrap();
        assert_eq!(page, ReconcilePage { next: None, examined: 7, repaired: 0 });
    }

    async fn workers_that_are_long_gone_are_forgotten(w) {
        w.held("A").await;
        let _: i64 = w.raw("HSET", "seq", &["claim:gone", "31 1700000000000 1700000000000000"]);
        assert_eq!(round(w).await, 0);
        let known: Vec<String> = w.raw("HKEYS", "seq", &[]);
        assert!(known.contains(&"claim:w1".to_owned()));
        assert!(!known.contains(&"claim:gone".to_owned()));
    }

    async fn a_lost_place_is_found_again(w) {
        one_of_each(w).await;
        for (place, name) in [
            ("lease", "processing"), ("delay", "backoff"), ("delay", "scheduled"), ("r:a:5:o", "queued"),
            ("done:completed", "completed"), ("done:failed", "failed"), ("done:cancelled", "cancelled"),
            ("deadline", "queued"),
        ] {
            repaired(w, async || { let _: i64 = w.raw("ZREM", place, &[name]); }).await;
        }
    }

    async fn a_lost_lease_is_recovered(w) {
        w.held("A").await;
        repaired(w, async || { let _: i64 = w.raw("ZREM", "lease", &["A"]); }).await;
        let policy = RecoverPolicy { max_recoveries: 3, most: 10 };
        assert_eq!(w.store().recover(w.partition, policy).await.unwrap().recovered, 1);
    }

    async fn a_lost_turn_is_given_again(w) {
        for name in ["A", "B"] {
            w.enqueue(name).await;
        }
        let _: i64 = w.raw("DEL", "wake:a", &[]);
        repaired(w, async || { let _: i64 = w.raw("DEL", "q:a", &[]); }).await;
        assert_eq!(w.raw::<i64>("LLEN", "wake:a", &[]), 1);
        assert_eq!(w.claim_names(5).await, ["A", "B"]);
    }

    async fn a_lost_queue_is_filled_again(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        repaired(w, async || {
            let _: i64 = w.raw("DEL", "r:a:5:o", &[]);
            let _: i64 = w.raw("DEL", "q:a", &[]);
        }).await;
        assert_eq!(w.claim_names(5).await.len(), 3);
    }

    async fn entries_without_a_task_go(w) {
        one_of_each(w).await;
        for index in ["ia:a", "lease", "delay", "pending", "done:completed", "done:failed", "done:cancelled"] {
            repaired(w, async || { let _: i64 = w.raw("ZADD", index, &["0", GHOST]); }).await;
        }
    }

    async fn a_task_in_two_places_keeps_the_right_one(w) {
        one_of_each(w).await;
        for place in ["lease", "delay", "pending", "done:completed", "done:failed", "done:cancelled"] {
            let name = if place == "lease" { "queued" } else { "processing" };
            repaired(w, async || { let _: i64 = w.raw("ZADD", place, &["5", name]); }).await;
        }
    }

    async fn a_walk_goes_page_by_page(w) {
        for i in 0..600 {
            w.enqueue(&format!("A{i}")).await;
        }
        let walk = &walks()[0];
        let (mut cursor, mut seen, mut pages) = (None, 0, 0);
        loop {
            let page = w.store().reconcile(w.partition, walk, cursor.as_deref(), 50).await.unwrap();
            assert!(page.examined <= 600);
            seen += page.examined;
            pages += 1;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(seen >= 600 && pages > 1, "{seen} in {pages} pages");
    }
}
