//! `finish`: a task ends once, with its last entries, and never past a steering message.

use factorial_core::{Finish, FinishOutcome, SteerOutcome, TaskState};

use crate::world::{LEASE, completed, failed, steered, turn};

/// The end of a run whose last turn is committed with it.
fn last_turn(write: u64, known: u64) -> Finish {
    Finish {
        plain: None,
        last: turn(write, known, 1),
        ..completed(write, known)
    }
}

on_each! {
    async fn a_run_completes(w) {
        let held = w.held("A").await;
        let finish = last_turn(1, 1);
        w.step(w.store().finish(&held, &finish, LEASE), FinishOutcome::Finished, r#"
            + done:completed A = now
            - lease A = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 1 -> 0
            ~ t:A bytes: 26 -> 94
            + t:A finished = now
            ~ t:A state: processing -> completed
            + t:A turns = 1
            + t:A u:m = 10 0 2 0
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0}}
            + t:A:e[2] = now 1 1 run_completed {"turns":1}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
            + t:A:m[1] = {"t":"output","value":"done"}
        "#).await;
        w.refused(w.store().finish(&held, &finish, LEASE), FinishOutcome::Finished).await;
        w.refused(
            w.store().finish(&held, &completed(2, 3), LEASE),
            FinishOutcome::Stale(Some(TaskState::Completed)),
        ).await;
        assert_eq!(w.store().output(&held.id).await.unwrap(), Some("done".into()));
    }

    async fn a_run_fails(w) {
        let held = w.held("A").await;
        let finish = failed(1, 1);
        w.step(w.store().finish(&held, &finish, LEASE), FinishOutcome::Finished, r#"
            + done:failed A = now
            - lease A = later
            + mt:a:86400000:past failed = 1
            + mt:a:86400000:past r_ = 1
            + n a:failed = 1
            ~ n a:processing: 1 -> 0
            + t:A failure = {"kind":"model_error","message":"no","status":500}
            + t:A finished = now
            ~ t:A state: processing -> failed
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 0 run_failed {"kind":"model_error","message":"no","status":500}
        "#).await;
        w.refused(w.store().finish(&held, &finish, LEASE), FinishOutcome::Finished).await;
    }

    async fn a_run_with_steering_goes_on(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "1", &["wait", "and more"]).await;
        let finish = last_turn(1, 1);
        let messages = || FinishOutcome::Steered(steered(&["wait", "and more"]));
        w.step(w.store().finish(&held, &finish, LEASE), messages(), r#"
            ~ lease A: later -> now+30s
            ~ t:A bytes: 26 -> 157
            - t:A steered = past
            ~ t:A steering: 2 -> 0
            + t:A turns = 1
            + t:A u:m = 10 0 2 0
            ~ t:A write: 0 -> 1
            + t:A:e[2] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0}}
            + t:A:e[3] = now 1 1 run_steering_applied {"count":2}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
            + t:A:m[1] = {"t":"steer","role":"user","content":"wait"}
            + t:A:m[2] = {"t":"steer","role":"user","content":"and more"}
            - t:A:s[0] = {"t":"steer","role":"user","content":"wait"}
            - t:A:s[1] = {"t":"steer","role":"user","content":"and more"}
        "#).await;
        w.refused(w.store().finish(&held, &finish, LEASE), messages()).await;
        let end = Finish { last: turn(2, 4, 2), ..completed(2, 4) };
        assert_eq!(w.store().finish(&held, &end, LEASE).await.unwrap(), FinishOutcome::Finished);
    }

    async fn a_failed_run_reports_the_steering_that_waits(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "1", &["one", "two"]).await;
        w.step(w.store().finish(&held, &failed(1, 1), LEASE), FinishOutcome::Finished, r#"
            + done:failed A = now
            - lease A = later
            + mt:a:86400000:past failed = 1
            + mt:a:86400000:past r_ = 1
            + n a:failed = 1
            ~ n a:processing: 1 -> 0
            + t:A failure = {"kind":"model_error","message":"no","status":500}
            + t:A finished = now
            ~ t:A state: processing -> failed
            - t:A steered = past
            ~ t:A steering: 2 -> 0
            ~ t:A write: 0 -> 1
            + t:A:e[2] = now 1 0 run_steering_failed {"pending":2}
            + t:A:e[3] = now 1 0 run_failed {"kind":"model_error","message":"no","status":500}
            - t:A:s[0] = {"t":"steer","role":"user","content":"one"}
            - t:A:s[1] = {"t":"steer","role":"user","content":"two"}
        "#).await;
        // What was reported as failed is not applied later.
        w.store().retry(&held.id, None).await.unwrap();
        assert_eq!(w.claim(1).await[0].length, 1);
        assert_eq!(w.steer(&held.id, "2", &["three"]).await, SteerOutcome::Accepted(1));
    }

    async fn a_conversation_that_differs_does_not_end(w) {
        let held = w.held("A").await;
        w.refused(w.store().finish(&held, &completed(1, 7), LEASE), FinishOutcome::Diverged(1)).await;
        w.refused(w.store().finish(&held, &failed(1, 0), LEASE), FinishOutcome::Diverged(1)).await;
    }

    async fn a_completed_task_keeps_no_failure_of_an_earlier_attempt(w) {
        let held = w.held("A").await;
        let failure = crate::world::failure();
        w.store().back_off(&held, 1, std::time::Duration::ZERO, &failure).await.unwrap();
        w.store().promote(w.partition, 10).await.unwrap();
        let held = w.claim(1).await.remove(0).held;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.store().task(&held.id).await.unwrap().unwrap().failure, None);
    }
}
