//! `expire_waits`: what was not answered in time is answered with `timeout`, once.

use std::time::Duration;

use factorial_core::{Held, NewWait, ParkOutcome, ParkedFor, Promoted, TaskState, WaitKind};

use crate::world::{LEASE, World, approval, asks, call, child_of, completed, spawned};

fn at_once(mut wait: NewWait) -> NewWait {
    wait.timeout = Some(Duration::ZERO);
    wait
}

async fn asking(w: &World, waits: Vec<NewWait>) -> Held {
    let held = w.held("A").await;
    w.await_all(&held, waits).await;
    held
}

on_each! {
    async fn each_kind_times_out(w) {
        let held = asking(w, vec![
            at_once(asks(WaitKind::Caller, call("c1"))),
            at_once(asks(WaitKind::Operator, call("c2"))),
            at_once(asks(WaitKind::Approval, approval("c3"))),
        ]).await;
        w.enqueue_with("C", |t| {
            let mut parent = spawned(&held, Some(child_of("c4")));
            parent.timeout = Some(Duration::ZERO);
            t.parent = Some(parent);
        }).await;
        w.park(&held, 2, ParkedFor::Answers).await;
        w.step(w.store().expire_waits(w.partition, 10), Promoted { count: 4, next: None }, r#"
            - asked approval a o A a:c3 = past
            - asked operator a o A c2 = past
            - await A a:c3 = past
            - await A c1 = past
            - await A c2 = past
            - await A c4/0 = past
            ~ n a:pending_tool_results: 1 -> 0
            ~ n a:queued: 1 -> 2
            + orphans[0] = C
            - pending A = past
            + r:a:5:o A = 0
            ~ t:A awaited: 4 -> 0
            ~ t:A ready: past -> now
            ~ t:A state: pending_tool_results -> queued
            + t:A:e[4] = now 1 1 wait_expired {"wait":"a:c3","kind":"approval"}
            + t:A:e[5] = now 1 1 wait_expired {"wait":"c1","kind":"caller"}
            + t:A:e[6] = now 1 1 wait_expired {"wait":"c2","kind":"operator"}
            + t:A:e[7] = now 1 1 wait_expired {"wait":"c4/0","kind":"child"}
            + t:A:e[8] = now 1 1 run_unparked {}
            ~ t:A:w a:c3: ? approval past past 1@v1 -> = approval timeout now sha1 1@v1 {}
            ~ t:A:w c1: ? caller past past 1 -> = caller timeout now sha1 1 {}
            ~ t:A:w c2: ? operator past past 1 -> = operator timeout now sha1 1 {}
            ~ t:A:w c4/0: ? child past past C -> = child timeout now sha1 C {}
        "#).await;
        w.refused(w.store().expire_waits(w.partition, 10), Promoted { count: 0, next: None }).await;
        // The child that was waited for is cancelled by the next cascade.
        assert_eq!(w.state("C").await, Some(TaskState::Queued));
        assert_eq!(w.store().cascade(w.partition, 10).await.unwrap().cancelled, 1);
        let record = w.store().task(&w.id("C")).await.unwrap().unwrap();
        assert_eq!((record.state, record.reason.as_deref()), (TaskState::Cancelled, Some("not awaited any more")));
        assert_eq!(w.claim_names(5).await, ["A"]);
    }

    async fn never_is_never(w) {
        let held = asking(w, vec![asks(WaitKind::Approval, approval("c1"))]).await;
        w.park(&held, 2, ParkedFor::Answers).await;
        w.refused(w.store().expire_waits(w.partition, 10), Promoted { count: 0, next: None }).await;
        assert_eq!(w.state("A").await, Some(TaskState::PendingToolResults));
    }

    async fn some_at_a_time_and_the_next_is_told(w) {
        let mut later = asks(WaitKind::Caller, call("c9"));
        later.timeout = Some(Duration::from_secs(60));
        let mut waits: Vec<_> = (0..5).map(|i| at_once(asks(WaitKind::Caller, call(&format!("c{i}"))))).collect();
        waits.push(later);
        let held = asking(w, waits).await;
        let step = w.store().expire_waits(w.partition, 3).await.unwrap();
        assert_eq!(step, Promoted { count: 3, next: Some(Duration::ZERO) });
        let step = w.store().expire_waits(w.partition, 3).await.unwrap();
        assert_eq!(step.count, 2);
        assert!(step.next.is_some_and(|next| next > Duration::from_secs(50)), "{step:?}");
        w.park(&held, 2, ParkedFor::Answers).await;
    }

    async fn a_timeout_before_the_park_is_kept(w) {
        let held = asking(w, vec![at_once(asks(WaitKind::Caller, call("c1")))]).await;
        assert_eq!(w.store().expire_waits(w.partition, 10).await.unwrap().count, 1);
        assert_eq!(w.state("A").await, Some(TaskState::Processing));
        let ready = w.store().park(&held, 2, ParkedFor::Answers, LEASE).await.unwrap();
        assert!(matches!(ready, ParkOutcome::Ready(_)), "{ready:?}");
    }

    async fn a_child_that_ends_before_its_time_is_over_is_not_late(w) {
        let parent = w.held("P").await;
        w.enqueue_with("C", |t| {
            let mut parent = spawned(&parent, Some(child_of("c1")));
            parent.timeout = Some(Duration::ZERO);
            t.parent = Some(parent);
        }).await;
        let child = w.claim_as("w2", "a", 1).await.remove(0).held;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        w.refused(w.store().expire_waits(w.partition, 10), Promoted { count: 0, next: None }).await;
    }

    async fn an_entry_that_means_nothing_goes(w) {
        let held = asking(w, vec![asks(WaitKind::Caller, call("c1"))]).await;
        let ghost = "0-01arz3ndektsv4rrffq69g5fav c1";
        let answered = format!("{} c7", held.id);
        let _: i64 = w.raw("ZADD", "await", &["1", ghost, "2", &answered, "3", "no", "4", "a b c"]);
        assert_eq!(w.store().expire_waits(w.partition, 10).await.unwrap(), Promoted { count: 0, next: None });
        assert_eq!(w.raw::<i64>("EXISTS", "await", &[]), 0);
    }
}
