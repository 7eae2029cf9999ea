//! A child's end reaches its parent, whether or not the parent has parked; a parent's end reaches its children.

use std::collections::BTreeMap;

use factorial_core::{
    FinishOutcome, Held, ParkedFor, RecoverPolicy, TaskState, WaitOutcome, WaitStatus,
};
use serde_json::{Value, json};

use crate::world::{LEASE, World, child_of, completed, failed, failure};

/// A parent that is held, and an awaited child that is held by another worker.
async fn parent_and_child(w: &World) -> (Held, Held) {
    let parent = w.held("P").await;
    let child = w.held_child("C", &parent, Some(child_of("call"))).await;
    (parent, child)
}

/// How the wait for the child of `call` was answered.
async fn answer_of(w: &World, call: &str) -> (WaitOutcome, Value) {
    let waits = w.store().waits(&w.id("P")).await.unwrap();
    let wait = waits
        .into_iter()
        .find(|wait| wait.key == child_of(call))
        .unwrap();
    match wait.status {
        WaitStatus::Answered {
            outcome, payload, ..
        } => (outcome, payload),
        other => panic!("{other:?}"),
    }
}

on_each! {
    async fn a_child_that_ends_first_is_remembered(w) {
        let (parent, child) = parent_and_child(w).await;
        w.step(w.store().finish(&child, &completed(1, 1), LEASE), FinishOutcome::Finished, r#"
            + done:completed C = now
            - lease C = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 2 -> 1
            ~ t:P awaited: 1 -> 0
            + t:P tree = 1 0 0 0 0 0
            - t:P:c C
            + t:P:e[2] = now 1 0 child_ended {"task_id":"C","status":"completed"}
            ~ t:P:w call/0: ? child past 0 C -> = child completed now sha1 C {"task_id":"C","status":"completed","output":"done"}
            ~ t:C bytes: 26 -> 55
            + t:C finished = now
            ~ t:C state: processing -> completed
            ~ t:C write: 0 -> 1
            + t:C:e[1] = now 1 0 run_completed {"turns":null}
            + t:C:m[0] = {"t":"output","value":"done"}
        "#).await;
        w.store().finish(&parent, &completed(1, 1), LEASE).await.unwrap();
    }

    async fn a_parked_parent_is_queued_by_its_last_child(w) {
        let parent = w.held("P").await;
        let one = w.held_child("C", &parent, Some(child_of("one"))).await;
        let two = w.held_child("D", &parent, Some(child_of("two"))).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        w.store().finish(&one, &failed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::PendingChildTasks));
        w.step(w.store().finish(&two, &completed(1, 1), LEASE), FinishOutcome::Finished, r#"
            + done:completed D = now
            - lease D = later
            + mt:a:86400000:past completed = 1
            ~ mt:a:86400000:past r_: 1 -> 2
            + n a:completed = 1
            ~ n a:pending_child_tasks: 1 -> 0
            ~ n a:processing: 1 -> 0
            ~ n a:queued: 0 -> 1
            - pending P = past
            + q:a 5:o = p5#4
            + r:a:5:o P = 0
            ~ seq tick: 3 -> 4
            ~ t:P awaited: 1 -> 0
            ~ t:P ready: past -> now
            ~ t:P state: pending_child_tasks -> queued
            ~ t:P tree: 1 0 0 0 0 0 -> 2 0 0 0 0 0
            - t:P:c D
            + t:P:e[5] = now 1 0 child_ended {"task_id":"D","status":"completed"}
            + t:P:e[6] = now 1 0 run_unparked {}
            ~ t:P:w two/0: ? child past 0 D -> = child completed now sha1 D {"task_id":"D","status":"completed","output":"done"}
            ~ t:D bytes: 26 -> 55
            + t:D finished = now
            ~ t:D state: processing -> completed
            ~ t:D write: 0 -> 1
            + t:D:e[1] = now 1 0 run_completed {"turns":null}
            + t:D:m[0] = {"t":"output","value":"done"}
        "#).await;
        let task_id = one.id.to_string();
        let failure = json!({ "task_id": task_id, "status": "failed", "failure": failure() });
        assert_eq!(answer_of(w, "one").await, (WaitOutcome::Failed, failure));
        let output = json!({ "task_id": two.id.to_string(), "status": "completed", "output": "done" });
        assert_eq!(answer_of(w, "two").await, (WaitOutcome::Completed, output));
        assert_eq!(w.claim_names(1).await, ["P"]);
    }

    async fn an_output_is_told_as_it_is(w) {
        for (i, output) in [json!("\"quoted\" \\ and\n\u{1}"), json!({ "a": [1.5, null, "}"] }), json!(null), json!("")].into_iter().enumerate() {
            let parent = w.held(&format!("P{i}")).await;
            let child = w.held_child(&format!("C{i}"), &parent, Some(child_of("call"))).await;
            let mut finish = completed(1, 1);
            finish.answer = Some(output.clone());
            w.store().finish(&child, &finish, LEASE).await.unwrap();
            let waits = w.store().waits(&parent.id).await.unwrap();
            let WaitStatus::Answered { payload, .. } = &waits[0].status else { panic!("{waits:?}") };
            assert_eq!(payload["output"], output);
        }
        // A worker that says nothing leaves no output.
        let parent = w.held("P").await;
        let child = w.held_child("C", &parent, Some(child_of("call"))).await;
        let mut finish = completed(1, 1);
        finish.answer = None;
        w.store().finish(&child, &finish, LEASE).await.unwrap();
        assert_eq!(answer_of(w, "call").await.1["output"], Value::Null);
    }

    async fn a_cancelled_child_answers_with_the_reason(w) {
        let (parent, child) = parent_and_child(w).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        let reason = "he said \"no\" \\ and left\n\u{7}";
        w.store().cancel(&child.id, Some(reason)).await.unwrap();
        let expected = json!({ "task_id": child.id.to_string(), "status": "cancelled", "reason": reason });
        assert_eq!(answer_of(w, "call").await, (WaitOutcome::Cancelled, expected));
        assert_eq!(w.state("P").await, Some(TaskState::Queued));
    }

    async fn a_child_that_is_stopped_as_poison_answers_too(w) {
        let (parent, child) = parent_and_child(w).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        w.expire_lease("C");
        let policy = RecoverPolicy { max_recoveries: 0, most: 10 };
        let recovered = w.store().recover(w.partition, policy).await.unwrap();
        assert_eq!((recovered.recovered, recovered.poisoned), (0, 1));
        let (outcome, payload) = answer_of(w, "call").await;
        assert_eq!((outcome, &payload["task_id"]), (WaitOutcome::Failed, &json!(child.id.to_string())));
        assert_eq!(payload["failure"]["kind"], "poison");
        assert_eq!(w.state("P").await, Some(TaskState::Queued));
    }

    async fn a_child_that_runs_out_of_time_answers_too(w) {
        let parent = w.held("P").await;
        w.enqueue_with("C", |t| {
            t.parent = Some(crate::world::spawned(&parent, Some(child_of("call"))));
            t.deadline = Some(std::time::Duration::ZERO);
        }).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        assert_eq!(w.store().enforce_deadlines(w.partition, 10).await.unwrap().count, 1);
        assert_eq!(answer_of(w, "call").await.0, WaitOutcome::Failed);
        assert_eq!(w.state("P").await, Some(TaskState::Queued));
    }

    async fn a_child_outlives_its_parent_without_harm(w) {
        let parent = w.held("P").await;
        let child = w.held_child("C", &parent, None).await;
        w.store().finish(&parent, &completed(1, 1), LEASE).await.unwrap();
        w.store().expire(w.partition, TaskState::Completed, std::time::Duration::ZERO, 10).await.unwrap();
        // It is kept, so that whoever cancels what is above it finds the child.
        assert_eq!(w.state("P").await, Some(TaskState::Completed));
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        w.store().expire(w.partition, TaskState::Completed, std::time::Duration::ZERO, 10).await.unwrap();
        assert_eq!(w.state("P").await, None);
        w.store().retry(&child.id, None).await.unwrap();
    }

    async fn a_retried_child_is_its_parents_again(w) {
        let (_parent, child) = parent_and_child(w).await;
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        w.store().retry(&child.id, None).await.unwrap();
        assert_eq!(w.raw::<Vec<String>>("SMEMBERS", "t:{P}:c", &[]), [child.id.to_string()]);
        // It is not awaited again: the answer stands.
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 0);
        w.store().cancel(&w.id("P"), None).await.unwrap();
        assert_eq!(w.state("C").await, Some(TaskState::Cancelled));
    }

    async fn a_parked_parent_that_is_cancelled_takes_its_children_along(w) {
        let (parent, _child) = parent_and_child(w).await;
        w.child("D", &parent, None).await;
        w.steer(&parent.id, "c", &["while it waits"]).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        w.step(w.store().cancel(&parent.id, Some("enough")), factorial_core::CancelOutcome::Cancelled, r#"
            + done:cancelled P = now
            + done:cancelled C = now
            + done:cancelled D = now
            - lease C = later
            + mt:a:86400000:past cancelled = 3
            + mt:a:86400000:past r_ = 2
            + n a:cancelled = 3
            ~ n a:pending_child_tasks: 1 -> 0
            ~ n a:processing: 1 -> 0
            ~ n a:queued: 1 -> 0
            - pending P = past
            - q:a 5:o = p5#3
            - r:a:5:o D = past
            ~ t:P awaited: 1 -> 0
            + t:P finished = now
            + t:P reason = enough
            ~ t:P state: pending_child_tasks -> cancelled
            - t:P steered = past
            ~ t:P steering: 1 -> 0
            + t:P tree = 2 0 0 0 0 0
            - t:P:c C
            - t:P:c D
            + t:P:e[5] = now 1 0 run_steering_failed {"pending":1}
            + t:P:e[6] = now 1 0 run_cancelled {"reason":"enough"}
            - t:P:s[0] = {"t":"steer","role":"user","content":"while it waits"}
            ~ t:P:w call/0: ? child past 0 C -> = child closed now sha1 C {}
            + t:C finished = now
            + t:C reason = parent cancelled
            ~ t:C state: processing -> cancelled
            + t:C:e[1] = now 1 0 run_cancelled {"reason":"parent cancelled"}
            + t:D finished = now
            + t:D reason = parent cancelled
            ~ t:D state: queued -> cancelled
            + t:D:e[0] = now 0 0 run_cancelled {"reason":"parent cancelled"}
        "#).await;
    }

    async fn a_failed_parent_leaves_what_nobody_awaited(w) {
        let (parent, child) = parent_and_child(w).await;
        w.child("D", &parent, None).await;
        w.step(w.store().finish(&parent, &failed(1, 1), LEASE), FinishOutcome::Finished, r#"
            + done:failed P = now
            - lease P = later
            + mt:a:86400000:past failed = 1
            + mt:a:86400000:past r_ = 1
            + n a:failed = 1
            ~ n a:processing: 2 -> 1
            + orphans[0] = C
            ~ t:P awaited: 1 -> 0
            + t:P failure = {"kind":"model_error","message":"no","status":500}
            + t:P finished = now
            ~ t:P state: processing -> failed
            ~ t:P write: 0 -> 1
            + t:P:e[3] = now 1 0 run_failed {"kind":"model_error","message":"no","status":500}
            ~ t:P:w call/0: ? child past 0 C -> = child closed now sha1 C {}
        "#).await;
        // Its child is not told twice, and does not wake anybody.
        assert_eq!(w.store().cascade(w.partition, 10).await.unwrap().cancelled, 1);
        assert_eq!((w.state("C").await, w.state("D").await), (Some(TaskState::Cancelled), Some(TaskState::Queued)));
        drop(child);
        // The run goes on from where it was, and knows that nobody answered.
        w.store().retry(&parent.id, None).await.unwrap();
        assert_eq!(answer_of(w, "call").await, (WaitOutcome::Closed, json!({})));
    }

    async fn a_parked_parent_can_run_out_of_time(w) {
        let late = w.enqueue_with("P", |t| t.deadline = Some(std::time::Duration::ZERO)).await;
        let held = w.claim(1).await.remove(0).held;
        let child = w.held_child("C", &held, Some(child_of("call"))).await;
        w.park(&held, 1, ParkedFor::Children).await;
        assert_eq!(w.store().enforce_deadlines(w.partition, 10).await.unwrap().count, 1);
        assert_eq!(w.state("P").await, Some(TaskState::Failed));
        // Its child ends before anybody cancels it: too late to wake anybody.
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::Failed));
        assert_eq!(w.store().cascade(w.partition, 10).await.unwrap().cancelled, 0);
        assert_eq!(w.store().task(&late).await.unwrap().unwrap().awaited, 0);
    }

    async fn an_answer_queues_a_parent_once(w) {
        let (parent, child) = parent_and_child(w).await;
        w.park(&parent, 1, ParkedFor::Children).await;
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.claim_names(1).await, ["P"]);
        // The child runs again and ends again; the parent is not told twice.
        w.store().retry(&child.id, None).await.unwrap();
        w.store().cancel(&child.id, None).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::Processing));
        assert_eq!(answer_of(w, "call").await.0, WaitOutcome::Failed);
        let waits: BTreeMap<String, String> = w.raw("HGETALL", "t:{P}:w", &[]);
        assert_eq!(waits.len(), 1);
    }

    async fn a_parent_that_is_retried_before_the_cascade_does_not_keep_what_it_awaited(w) {
        let root = w.held("P").await;
        let child = w.held_child("C", &root, Some(child_of("call"))).await;
        w.child("D", &root, None).await;
        // As if whoever cancelled the parent had died before the first step of the cascade.
        let _: String = w.raw("RENAME", "t:{P}:c", &[&w.key("aside")]);
        w.store().cancel(&root.id, None).await.unwrap();
        let _: String = w.raw("RENAME", "aside", &[&w.key("t:{P}:c")]);
        let _: i64 = w.raw("RPUSH", "cascade", &["P"]);
        w.store().retry(&root.id, None).await.unwrap();
        while w.store().cascade(w.partition, 10).await.unwrap().more {}
        assert_eq!((w.state("C").await, w.state("D").await), (Some(TaskState::Cancelled), Some(TaskState::Queued)));
        drop(child);
    }
}
