//! `cancel`: at once, in each state.

use std::time::Duration;

use factorial_core::{CancelOutcome, Signal, Start, TaskState};
use tokio_util::sync::CancellationToken;

use crate::world::{LEASE, completed, failed, failure};

on_each! {
    async fn a_queued_task(w) {
        let id = w.enqueue("A").await;
        w.step(w.store().cancel(&id, Some("why \"not\"")), CancelOutcome::Cancelled, r#"
            + done:cancelled A = now
            + mt:a:86400000:past cancelled = 1
            + n a:cancelled = 1
            ~ n a:queued: 1 -> 0
            - q:a 5:o = p5#1
            - r:a:5:o A = past
            + t:A finished = now
            + t:A reason = why "not"
            ~ t:A state: queued -> cancelled
            + t:A:e[0] = now 0 0 run_cancelled {"reason":"why \"not\""}
        "#).await;
        w.refused(w.store().cancel(&id, None), CancelOutcome::Finished(TaskState::Cancelled)).await;
        assert!(w.claim(1).await.is_empty());
    }

    async fn one_of_several_queued_tasks(w) {
        let id = w.enqueue("A").await;
        w.enqueue("B").await;
        w.store().cancel(&id, None).await.unwrap();
        assert_eq!(w.claim_names(5).await, ["B"]);
    }

    async fn a_scheduled_task(w) {
        let id = w.enqueue_with("A", |t| {
            t.start = Start::After(LEASE);
            t.deadline = Some(LEASE);
        }).await;
        w.step(w.store().cancel(&id, None), CancelOutcome::Cancelled, r#"
            - deadline A = later
            - delay A = later
            + done:cancelled A = now
            + mt:a:86400000:past cancelled = 1
            + n a:cancelled = 1
            ~ n a:scheduled: 1 -> 0
            - t:A due = later
            + t:A finished = now
            ~ t:A state: scheduled -> cancelled
            + t:A:e[0] = now 0 0 run_cancelled {"reason":null}
        "#).await;
    }

    async fn a_task_that_runs(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "c", &["one"]).await;
        let stop = CancellationToken::new();
        w.step(w.store().cancel(&held.id, None), CancelOutcome::Cancelled, r#"
            + done:cancelled A = now
            - lease A = later
            + mt:a:86400000:past cancelled = 1
            + mt:a:86400000:past r_ = 1
            + n a:cancelled = 1
            ~ n a:processing: 1 -> 0
            + t:A finished = now
            ~ t:A state: processing -> cancelled
            - t:A steered = past
            ~ t:A steering: 1 -> 0
            + t:A:e[2] = now 1 0 run_steering_failed {"pending":1}
            + t:A:e[3] = now 1 0 run_cancelled {"reason":null}
            - t:A:s[0] = {"t":"steer","role":"user","content":"one"}
        "#).await;
        stop.cancel();
    }

    async fn a_task_in_backoff(w) {
        let held = w.held("A").await;
        w.store().back_off(&held, 1, LEASE, &failure()).await.unwrap();
        w.step(w.store().cancel(&held.id, None), CancelOutcome::Cancelled, r#"
            - delay A = later
            + done:cancelled A = now
            + mt:a:86400000:past cancelled = 1
            + mt:a:86400000:past r_ = 1
            ~ n a:backoff: 1 -> 0
            + n a:cancelled = 1
            - t:A due = later
            - t:A failure = {"kind":"model_error","message":"no","status":500}
            + t:A finished = now
            ~ t:A state: backoff -> cancelled
            + t:A:e[2] = now 1 0 run_cancelled {"reason":null}
        "#).await;
    }

    async fn an_ended_task_stays_as_it_ended(w) {
        let held = w.held("A").await;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        w.refused(w.store().cancel(&held.id, None), CancelOutcome::Finished(TaskState::Completed)).await;
        let held = w.held("B").await;
        w.store().finish(&held, &failed(1, 1), LEASE).await.unwrap();
        w.refused(w.store().cancel(&held.id, None), CancelOutcome::Finished(TaskState::Failed)).await;
        w.refused(w.store().cancel(&w.name("nobody"), None), CancelOutcome::NotFound).await;
    }

    async fn the_holder_is_told(w) {
        let stop = CancellationToken::new();
        let mut signals = w.store().signals(&"w1".parse().unwrap(), stop.clone());
        let mut round = 0;
        factorial_tests::eventually(Duration::from_secs(5), async || {
            round += 1;
            let held = w.held(&format!("A{round}")).await;
            w.store().cancel(&held.id, None).await.unwrap();
            let told = tokio::time::timeout(Duration::from_millis(50), signals.recv()).await;
            (told == Ok(Some(Signal::Cancel(held.id)))).then_some(())
        }).await;
        stop.cancel();
    }
}
