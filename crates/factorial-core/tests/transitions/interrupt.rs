//! `steer` with an interrupt: a parked task stops waiting; without one it waits on, and the messages with it.

use std::time::Duration;

use factorial_core::{Held, ParkedFor, Steer, SteerOutcome, TaskState, WaitKind};

use crate::world::{LEASE, World, approval, asks, call, child_of, completed, message};

/// A parked task that awaits a child (c1), an operator (c2) and an approval (c3).
async fn parked(w: &World) -> Held {
    let held = w.held("A").await;
    w.child("C", &held, Some(child_of("c1"))).await;
    w.child("D", &held, None).await;
    let mut operator = asks(WaitKind::Operator, call("c2"));
    operator.timeout = Some(Duration::from_secs(60));
    let waits = vec![operator, asks(WaitKind::Approval, approval("c3"))];
    w.await_all(&held, waits).await;
    w.park(&held, 2, ParkedFor::Answers).await;
    held
}

on_each! {
    async fn a_parked_task_stops_waiting(w) {
        let held = parked(w).await;
        let one = [message("now")];
        let steer = Steer { messages: &one, interrupt: true, client_id: "c" };
        w.step(w.store().steer(&held.id, &steer), SteerOutcome::Accepted(1), r#"
            - asked approval a o A a:c3 = past
            - asked operator a o A c2 = past
            - await A c2 = later
            + done:cancelled C = now
            + mt:a:86400000:past cancelled = 1
            + n a:cancelled = 1
            ~ n a:pending_tool_results: 1 -> 0
            - pending A = past
            + r:a:5:o A = 0
            - r:a:5:o C = past
            ~ t:A awaited: 3 -> 0
            ~ t:A ready: past -> now
            ~ t:A state: pending_tool_results -> queued
            + t:A steered = now
            + t:A steering = 1
            + t:A tree = 1 0 0 0 0 0
            - t:A:c C
            + t:A:e[5] = now 1 1 run_steering_accepted {"count":1,"mode":"interrupt"}
            + t:A:e[6] = now 1 1 run_unparked {}
            + t:A:e[7] = now 1 1 child_ended {"task_id":"C","status":"cancelled"}
            + t:A:s[0] = {"t":"steer","role":"user","content":"now"}
            ~ t:A:w a:c3: ? approval past 0 1@v1 -> = approval interrupted now sha1 1@v1 {}
            ~ t:A:w c1/0: ? child past 0 C -> = child interrupted now sha1 C {}
            ~ t:A:w c2: ? operator past later 1 -> = operator interrupted now sha1 1 {}
            + t:A:x c
            + t:C finished = now
            + t:C reason = not awaited any more
            ~ t:C state: queued -> cancelled
            + t:C:e[0] = now 0 0 run_cancelled {"reason":"not awaited any more"}
        "#).await;
        // The child that it had awaited is cancelled, the other one goes on.
        assert_eq!((w.state("C").await, w.state("D").await), (Some(TaskState::Cancelled), Some(TaskState::Queued)));
        w.refused(w.store().steer(&held.id, &steer), SteerOutcome::Duplicate(1)).await;
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.held.id, claimed.record.awaited, claimed.record.steering), (held.id, 0, 1));
        assert!(claimed.waits.len() == 3 && claimed.waits.iter().all(|wait| !wait.is_open()));
    }

    async fn plain_steering_leaves_it_parked(w) {
        let held = parked(w).await;
        assert_eq!(w.steer(&held.id, "c", &["when you can"]).await, SteerOutcome::Accepted(1));
        assert_eq!(w.state("A").await, Some(TaskState::PendingToolResults));
        assert_eq!(w.raw::<i64>("HGET", "t:{A}", &["awaited"]), 3);
    }

    async fn an_interrupt_is_noted_for_whoever_is_about_to_park(w) {
        let held = w.held("A").await;
        let one = [message("now")];
        let steer = Steer { messages: &one, interrupt: true, client_id: "c" };
        w.step(w.store().steer(&held.id, &steer), SteerOutcome::Accepted(1), r#"
            + t:A interrupt = 1
            + t:A steered = now
            + t:A steering = 1
            + t:A:e[1] = now 1 0 run_steering_accepted {"count":1,"mode":"interrupt"}
            + t:A:s[0] = {"t":"steer","role":"user","content":"now"}
            + t:A:x c
        "#).await;
        // It outlives a hand-back, and goes when it is applied or the run ends.
        w.store().release(&held, 1).await.unwrap();
        assert_eq!(w.raw::<i64>("HEXISTS", "t:{A}", &["interrupt"]), 1);
        let held = w.claim(1).await.remove(0).held;
        let outcome = w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        assert!(matches!(outcome, factorial_core::FinishOutcome::Steered(_)));
        assert_eq!(w.raw::<i64>("HEXISTS", "t:{A}", &["interrupt"]), 0);
    }
}
