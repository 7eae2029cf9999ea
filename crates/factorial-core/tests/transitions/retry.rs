//! `retry`: an operator runs an ended task again.

use std::time::Duration;

use factorial_core::{RetryOutcome, TaskState};

use crate::world::{LEASE, completed, failed, turn};

on_each! {
    async fn a_failed_task_goes_on_from_its_last_commit(w) {
        let held = w.held("A").await;
        w.store().commit(&held, &turn(1, 1, 1), false, LEASE).await.unwrap();
        w.store().finish(&held, &failed(2, 2), LEASE).await.unwrap();
        w.step(w.store().retry(&held.id, Some(Duration::from_secs(60))), RetryOutcome::Queued, r#"
            + deadline A = now+60s
            - done:failed A = past
            + mt:a:86400000:past retried = 1
            ~ n a:failed: 1 -> 0
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o A = now
            ~ seq tick: 1 -> 2
            + t:A deadline = now+60s
            - t:A failure = {"kind":"model_error","message":"no","status":500}
            - t:A finished = past
            ~ t:A ready: past -> now
            ~ t:A state: failed -> queued
            - t:A worker = w1
            + t:A:e[3] = now 1 1 task_retried {"by":"operator","after":"failed"}
        "#).await;
        w.refused(w.store().retry(&held.id, None), RetryOutcome::NotRetryable(TaskState::Queued)).await;
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.length, claimed.record.turns, claimed.record.attempts), (2, 1, 2));
        w.store().finish(&claimed.held, &completed(1, 2), LEASE).await.unwrap();
        w.refused(w.store().retry(&held.id, None), RetryOutcome::NotRetryable(TaskState::Completed)).await;
    }

    async fn a_cancelled_task_runs_again(w) {
        let id = w.enqueue_with("A", |t| t.deadline = Some(LEASE)).await;
        w.store().cancel(&id, Some("why")).await.unwrap();
        assert_eq!(w.store().retry(&id, None).await.unwrap(), RetryOutcome::Queued);
        let record = w.store().task(&id).await.unwrap().unwrap();
        assert_eq!((record.reason, record.deadline_ms, record.finished_ms), (None, None, None));
        assert_eq!(w.claim_names(1).await, ["A"]);
    }

    async fn what_never_was_is_not_found(w) {
        w.refused(w.store().retry(&w.name("nobody"), None), RetryOutcome::NotFound).await;
    }
}
