//! `release` and `back_off`: a worker puts a task back.

use std::time::Duration;

use factorial_core::{TaskState, WriteOutcome};

use crate::world::failure;

on_each! {
    async fn a_task_is_handed_back_to_the_front(w) {
        let held = w.held("A").await;
        let _: i64 = w.raw("DEL", "wake:a", &[]);
        w.step(w.store().release(&held, 1), WriteOutcome::Written, r#"
            - lease A = later
            ~ n a:processing: 1 -> 0
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o A = 0
            ~ seq tick: 1 -> 2
            + t:A hand_backs = 1
            ~ t:A ready: past -> now
            ~ t:A state: processing -> queued
            - t:A worker = w1
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 0 run_handed_back {}
            + wake:a[0] = 1
        "#).await;
        w.refused(w.store().release(&held, 1), WriteOutcome::Written).await;
        w.refused(w.store().release(&held, 2), WriteOutcome::Stale(Some(TaskState::Queued))).await;
        let record = w.store().task(&held.id).await.unwrap().unwrap();
        assert_eq!((record.hand_backs, record.retries, record.recoveries), (1, 0, 0));
    }

    async fn a_task_is_put_aside(w) {
        let held = w.held("A").await;
        let wait = Duration::from_secs(9);
        let failure = failure();
        w.step(w.store().back_off(&held, 1, wait, &failure), WriteOutcome::Written, r#"
            + delay A = now+9s
            - lease A = later
            + mt:a:86400000:past retried = 1
            + n a:backoff = 1
            ~ n a:processing: 1 -> 0
            + t:A due = now+9s
            + t:A failure = {"kind":"model_error","message":"no","status":500}
            + t:A retries = 1
            ~ t:A state: processing -> backoff
            - t:A worker = w1
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 0 task_retried {"kind":"model_error","message":"no","status":500,"delay_seconds":9.0}
        "#).await;
        w.refused(w.store().back_off(&held, 1, wait, &failure), WriteOutcome::Written).await;
        w.refused(w.store().back_off(&held, 2, wait, &failure), WriteOutcome::Stale(Some(TaskState::Backoff))).await;
    }

    async fn a_write_of_before_the_next_claim_is_refused_after_it(w) {
        let held = w.held("A").await;
        w.store().release(&held, 1).await.unwrap();
        let next = w.claim_as("w2", "a", 1).await.remove(0).held;
        w.refused(w.store().release(&held, 1), WriteOutcome::Stale(Some(TaskState::Processing))).await;
        w.store().release(&next, 1).await.unwrap();
    }
}
