//! `promote`: what is due is queued, and nothing before.

use std::time::Duration;

use factorial_core::{Promoted, Start, TaskState};
use factorial_tests::eventually;

use crate::world::{LEASE, failure};

on_each! {
    async fn nothing_waits(w) {
        w.refused(w.store().promote(w.partition, 10), Promoted { count: 0, next: None }).await;
    }

    async fn a_scheduled_task_starts_when_it_is_due(w) {
        let id = w.enqueue_with("A", |t| t.start = Start::After(Duration::from_millis(150))).await;
        let due = w.store().task(&id).await.unwrap().unwrap().due_ms.unwrap().unsigned_abs();
        let (early, changed) = w.changes(w.store().promote(w.partition, 10)).await;
        let early = early.unwrap();
        assert_eq!((early.count, changed.as_str()), (0, ""));
        assert!(early.next.unwrap() <= Duration::from_millis(150));
        eventually(Duration::from_secs(5), async || {
            let before = w.store().now_ms().await.unwrap();
            let promoted = w.store().promote(w.partition, 10).await.unwrap();
            let after = w.store().now_ms().await.unwrap();
            assert!(promoted.count == 0 || after >= due, "early");
            assert!(promoted.count == 1 || before <= due, "late");
            (promoted.count == 1).then_some(())
        }).await;
        assert_eq!(w.claim_names(1).await, ["A"]);
    }

    async fn a_due_task_is_queued(w) {
        w.enqueue_with("A", |t| t.start = Start::After(LEASE)).await;
        w.enqueue_with("B", |t| t.start = Start::After(LEASE)).await;
        let _: i64 = w.raw("ZADD", "delay", &["1", "A"]);
        let (promoted, changed) = w.changes(w.store().promote(w.partition, 10)).await;
        let promoted = promoted.unwrap();
        assert_eq!(promoted.count, 1);
        assert!(promoted.next.unwrap() > Duration::from_secs(20));
        let expected = r"
            - delay A = 1
            + n a:queued = 1
            ~ n a:scheduled: 2 -> 1
            + q:a 5:o = p5#1
            + r:a:5:o A = now
            + seq tick = 1
            - t:A due = later
            + t:A ready = now
            ~ t:A state: scheduled -> queued
            + wake:a[0] = 1
        ";
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!(changed.lines().collect::<Vec<_>>(), expected);
    }

    async fn a_task_in_backoff_is_queued(w) {
        let held = w.held("A").await;
        w.store().back_off(&held, 1, Duration::ZERO, &failure()).await.unwrap();
        assert_eq!(w.store().promote(w.partition, 10).await.unwrap(), Promoted { count: 1, next: None });
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.record.attempts, claimed.record.retries), (2, 1));
    }

    async fn no_more_than_asked(w) {
        for i in 0..5 {
            w.enqueue_with(&format!("A{i}"), |t| t.start = Start::After(Duration::from_millis(1))).await;
        }
        eventually(Duration::from_secs(5), async || {
            let due: i64 = w.raw("ZCOUNT", "delay", &["-inf", &w.store().now_ms().await.unwrap().to_string()]);
            (due == 5).then_some(())
        }).await;
        assert_eq!(w.store().promote(w.partition, 2).await.unwrap(), Promoted { count: 2, next: Some(Duration::ZERO) });
        assert_eq!(w.store().promote(w.partition, 9).await.unwrap(), Promoted { count: 3, next: None });
    }

    async fn an_entry_of_another_state_is_dropped(w) {
        w.enqueue("A").await;
        let _: i64 = w.raw("ZADD", "delay", &["1", "A"]);
        let _: i64 = w.raw("ZADD", "delay", &["1", "0-01arz3ndektsv4rrffq69g5fav"]);
        assert_eq!(w.store().promote(w.partition, 10).await.unwrap(), Promoted { count: 0, next: None });
        assert_eq!(w.state("A").await, Some(TaskState::Queued));
    }
}
