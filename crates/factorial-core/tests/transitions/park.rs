//! `park`: a task is put aside while something is open that will queue it, and only then.

use factorial_core::Held;
use factorial_core::{
    Answer, Commit, ParkOutcome, ParkedFor, RecoverPolicy, Steer, TaskState, Wait, WaitKind,
    WaitOutcome,
};
use serde_json::{Value, json};

use crate::world::{LEASE, World, approval, asks, call, child_of, completed, message, turn};

/// A held task that awaits a call.
async fn asking(w: &World, name: &str) -> Held {
    let held = w.held(name).await;
    let commit = Commit {
        waits: vec![asks(WaitKind::Caller, call("c1"))],
        ..turn(1, 1, 1)
    };
    w.store()
        .commit(&held, &commit, false, LEASE)
        .await
        .unwrap();
    held
}

async fn answer(w: &World, held: &Held, key: &str, payload: &Value) {
    let key = call(key);
    let answer = Answer {
        key: &key,
        kinds: &[WaitKind::Caller],
        outcome: WaitOutcome::Result,
        payload,
        by: json!({}),
        owner: None,
        token: None,
    };
    w.store().answer(&held.id, &answer).await.unwrap();
}

async fn waits(w: &World, held: &Held) -> Vec<Wait> {
    w.store().waits(&held.id).await.unwrap()
}

on_each! {
    async fn a_task_that_awaits_is_put_aside(w) {
        let held = asking(w, "A").await;
        w.step(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Parked, r#"
            - lease A = later
            + n a:pending_tool_results = 1
            ~ n a:processing: 1 -> 0
            + pending A = now
            ~ t:A state: processing -> pending_tool_results
            - t:A worker = w1
            ~ t:A write: 1 -> 2
            + t:A:e[2] = now 1 1 run_parked {"awaiting":1}
        "#).await;
        // Its answer was lost, so it is sent again.
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Parked).await;
        assert!(w.claim(5).await.is_empty());
    }

    async fn a_repetition_that_comes_after_the_answer_changes_nothing(w) {
        let held = asking(w, "A").await;
        w.park(&held, 2, ParkedFor::Answers).await;
        answer(w, &held, "c1", &json!(1)).await;
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Parked).await;
        let next = w.claim(1).await.remove(0).held;
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(Some(TaskState::Processing))).await;
        w.store().finish(&next, &completed(1, 2), LEASE).await.unwrap();
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(Some(TaskState::Completed))).await;
    }

    async fn an_early_answer_is_kept_and_the_task_goes_on(w) {
        let held = asking(w, "A").await;
        answer(w, &held, "c1", &json!({ "early": [1, "two"] })).await;
        let all = waits(w, &held).await;
        w.step(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Ready(all.clone()), r#"
            ~ lease A: later -> now+30s
            ~ t:A write: 1 -> 2
        "#).await;
        assert_eq!(w.state("A").await, Some(TaskState::Processing));
        let (outcome, _) = w.changes(w.store().park(&held, 2, ParkedFor::Answers, LEASE)).await;
        assert_eq!(outcome.unwrap(), ParkOutcome::Ready(all), "its repetition");
    }

    async fn one_of_two_is_not_enough(w) {
        let held = asking(w, "A").await;
        w.child("C", &held, Some(child_of("c2"))).await;
        answer(w, &held, "c1", &json!(1)).await;
        w.park(&held, 2, ParkedFor::Children).await;
        assert_eq!(w.state("A").await, Some(TaskState::PendingChildTasks));
        w.store().cancel(&w.id("C"), None).await.unwrap();
        assert_eq!(w.state("A").await, Some(TaskState::Queued));
        let claimed = w.claim(1).await.remove(0);
        assert_eq!(claimed.waits, waits(w, &held).await);
    }

    async fn a_task_that_never_awaited_goes_on(w) {
        let held = w.held("A").await;
        w.step(w.store().park(&held, 1, ParkedFor::Children, LEASE), ParkOutcome::Ready(vec![]), r#"
            ~ lease A: later -> now+30s
            ~ t:A write: 0 -> 1
        "#).await;
    }

    async fn a_lost_lease_parks_nothing(w) {
        let held = asking(w, "A").await;
        w.expire_lease("A");
        w.store().recover(w.partition, RecoverPolicy { max_recoveries: 3, most: 10 }).await.unwrap();
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(Some(TaskState::Queued))).await;
        let next = w.claim(1).await.remove(0).held;
        w.refused(w.store().park(&held, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(Some(TaskState::Processing))).await;
        // The wait stands, whoever holds the task.
        w.park(&next, 1, ParkedFor::Answers).await;
        w.store().cancel(&held.id, None).await.unwrap();
        w.refused(w.store().park(&next, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(Some(TaskState::Cancelled))).await;
        let nobody = Held { id: w.name("nobody"), token: 1 };
        w.refused(w.store().park(&nobody, 2, ParkedFor::Answers, LEASE), ParkOutcome::Stale(None)).await;
    }

    async fn an_interrupt_before_the_park_closes_what_is_open(w) {
        let held = asking(w, "A").await;
        w.child("C", &held, Some(child_of("c2"))).await;
        let commit = Commit { write: 2, known: 2, waits: vec![asks(WaitKind::Approval, approval("c3"))], ..Commit::default() };
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        let messages = [message("stop waiting")];
        let steer = Steer { messages: &messages, interrupt: true, client_id: "1" };
        w.store().steer(&held.id, &steer).await.unwrap();
        let ready = async {
            w.store().park(&held, 3, ParkedFor::Answers, LEASE).await.map(|o| matches!(o, ParkOutcome::Ready(all) if all.len() == 3))
        };
        w.step(ready, true, r#"
            - asked approval a o A a:c3 = past
            ~ lease A: later -> now+30s
            + orphans[0] = C
            ~ t:A awaited: 3 -> 0
            ~ t:A write: 2 -> 3
            ~ t:A:w a:c3: ? approval past 0 1@v1 -> = approval interrupted now sha1 1@v1 {}
            ~ t:A:w c1: ? caller past 0 1 -> = caller interrupted now sha1 1 {}
            ~ t:A:w c2/0: ? child past 0 C -> = child interrupted now sha1 C {}
        "#).await;
        assert_eq!(w.store().cascade(w.partition, 10).await.unwrap().cancelled, 1);
        assert_eq!(w.state("C").await, Some(TaskState::Cancelled));
        // The messages are taken at the boundary, and the next park is one again.
        let boundary = Commit {
            write: 4, known: 2, taken: vec![call("c1"), child_of("c2"), approval("c3")],
            waits: vec![asks(WaitKind::Caller, call("c4"))], ..Commit::default()
        };
        w.store().commit(&held, &boundary, true, LEASE).await.unwrap();
        w.park(&held, 5, ParkedFor::Answers).await;
    }

    async fn an_interrupt_that_was_applied_parks(w) {
        let held = asking(w, "A").await;
        let messages = [message("now")];
        let steer = Steer { messages: &messages, interrupt: true, client_id: "1" };
        w.store().steer(&held.id, &steer).await.unwrap();
        let boundary = Commit { write: 2, known: 2, ..Commit::default() };
        w.store().commit(&held, &boundary, true, LEASE).await.unwrap();
        w.park(&held, 3, ParkedFor::Answers).await;
        assert_eq!(w.raw::<i64>("HEXISTS", "t:{A}", &["interrupt"]), 0);
    }
}
