//! `answer`: the first one counts, whenever it comes; whoever may not answer is refused.

use std::time::Duration;

use factorial_core::{
    Answer, AnswerOutcome, Commit, Held, OwnerId, ParkOutcome, ParkedFor, ProgressOutcome,
    TaskState, WaitKey, WaitKind, WaitOutcome,
};
use serde_json::{Value, json};

use crate::world::{LEASE, World, approval, asks, call, child_of, completed, owner, turn};

/// A held task that awaits a caller (c1), an operator (c2) and an approval (c3).
async fn asking(w: &World) -> Held {
    let held = w.held("A").await;
    let mut operator = asks(WaitKind::Operator, call("c2"));
    operator.timeout = Some(Duration::from_secs(60));
    let waits = vec![
        asks(WaitKind::Caller, call("c1")),
        operator,
        asks(WaitKind::Approval, approval("c3")),
    ];
    w.await_all(&held, waits).await;
    held
}

fn result<'a>(key: &'a WaitKey, payload: &'a Value) -> Answer<'a> {
    Answer {
        key,
        kinds: &[WaitKind::Caller, WaitKind::Operator],
        outcome: WaitOutcome::Result,
        payload,
        by: json!({ "by": "me" }),
        owner: None,
        token: None,
    }
}

fn approved<'a>(key: &'a WaitKey, payload: &'a Value) -> Answer<'a> {
    Answer {
        kinds: &[WaitKind::Approval],
        outcome: WaitOutcome::Approved,
        ..result(key, payload)
    }
}

on_each! {
    async fn the_first_answer_counts(w) {
        let held = asking(w).await;
        let (key, payload) = (call("c2"), json!({ "n": 1 }));
        w.step(w.store().answer(&held.id, &result(&key, &payload)), AnswerOutcome::Answered(TaskState::Processing), r#"
            - asked operator a o A c2 = past
            - await A c2 = later
            ~ t:A awaited: 3 -> 2
            + t:A:e[2] = now 1 1 tool_call_answered {"by":"me","call_id":"c2","outcome":"result"}
            ~ t:A:w c2: ? operator past later 1 -> = operator result now sha1 1 {"n":1}
        "#).await;
        w.refused(w.store().answer(&held.id, &result(&key, &payload)), AnswerOutcome::Replayed).await;
        let other = json!({ "n": 2 });
        let conflict = AnswerOutcome::Conflict(WaitOutcome::Result);
        w.refused(w.store().answer(&held.id, &result(&key, &other)), conflict).await;
        let error = Answer { outcome: WaitOutcome::Error, ..result(&key, &payload) };
        w.refused(w.store().answer(&held.id, &error), conflict).await;
    }

    async fn an_approval_is_a_yes_or_a_no(w) {
        let held = asking(w).await;
        let (key, payload) = (approval("c3"), json!({ "by": "op", "arguments": { "to": "\"a\"\n" } }));
        w.step(w.store().answer(&held.id, &approved(&key, &payload)), AnswerOutcome::Answered(TaskState::Processing), r#"
            - asked approval a o A a:c3 = past
            ~ t:A awaited: 3 -> 2
            + t:A:e[2] = now 1 1 approval_granted {"by":"me","call_id":"c3","outcome":"approved"}
            ~ t:A:w a:c3: ? approval past 0 1@v1 -> = approval approved now sha1 1@v1 {"by":"op","arguments":{"to":"\"a\"\n"}}
        "#).await;
        let denied = Answer { outcome: WaitOutcome::Denied, ..approved(&key, &payload) };
        w.refused(w.store().answer(&held.id, &denied), AnswerOutcome::Conflict(WaitOutcome::Approved)).await;
    }

    async fn the_last_answer_queues_a_parked_task_at_the_front(w) {
        let held = asking(w).await;
        w.enqueue("before").await;
        w.park(&held, 2, ParkedFor::Answers).await;
        let payload = json!(null);
        let parked = AnswerOutcome::Answered(TaskState::PendingToolResults);
        assert_eq!(w.store().answer(&held.id, &result(&call("c1"), &payload)).await.unwrap(), parked);
        let yes = json!({});
        assert_eq!(w.store().answer(&held.id, &approved(&approval("c3"), &yes)).await.unwrap(), parked);
        let key = call("c2");
        w.step(w.store().answer(&held.id, &result(&key, &payload)), AnswerOutcome::Answered(TaskState::Queued), r#"
            - asked operator a o A c2 = past
            - await A c2 = later
            ~ n a:pending_tool_results: 1 -> 0
            ~ n a:queued: 1 -> 2
            - pending A = past
            + r:a:5:o A = 0
            ~ t:A awaited: 1 -> 0
            ~ t:A ready: past -> now
            ~ t:A state: pending_tool_results -> queued
            + t:A:e[5] = now 1 1 tool_call_answered {"by":"me","call_id":"c2","outcome":"result"}
            + t:A:e[6] = now 1 1 run_unparked {}
            ~ t:A:w c2: ? operator past later 1 -> = operator result now sha1 1 null
        "#).await;
        w.refused(w.store().answer(&held.id, &result(&key, &payload)), AnswerOutcome::Replayed).await;
        assert_eq!(w.claim_names(2).await, ["A", "before"]);
    }

    async fn an_early_answer_is_kept(w) {
        let held = asking(w).await;
        let payload = json!("early");
        for key in [call("c1"), call("c2")] {
            w.store().answer(&held.id, &result(&key, &payload)).await.unwrap();
        }
        w.store().answer(&held.id, &approved(&approval("c3"), &json!({}))).await.unwrap();
        let ready = w.store().park(&held, 2, ParkedFor::Answers, LEASE).await.unwrap();
        let ParkOutcome::Ready(waits) = ready else { panic!("{ready:?}") };
        assert!(waits.len() == 3 && waits.iter().all(|wait| !wait.is_open()));
    }

    async fn what_nobody_asked_is_unknown(w) {
        let held = asking(w).await;
        w.child("C", &held, Some(child_of("c4"))).await;
        let payload = json!(1);
        let nobody = w.name("nobody");
        let store = w.store();
        w.refused(store.answer(&held.id, &result(&call("other"), &payload)), AnswerOutcome::Unknown).await;
        // Of another kind: a result is no approval, and nobody answers for a child.
        w.refused(store.answer(&held.id, &result(&approval("c3"), &payload)), AnswerOutcome::Unknown).await;
        w.refused(store.answer(&held.id, &result(&child_of("c4"), &payload)), AnswerOutcome::Unknown).await;
        w.refused(store.answer(&held.id, &approved(&call("c1"), &payload)), AnswerOutcome::Unknown).await;
        w.refused(store.answer(&nobody, &result(&call("c1"), &payload)), AnswerOutcome::NotFound).await;
    }

    async fn another_owner_finds_nothing(w) {
        let held = asking(w).await;
        let (key, payload, o, p): (_, _, OwnerId, OwnerId) = (call("c1"), json!(1), owner("o"), owner("p"));
        let foreign = Answer { owner: Some(&p), ..result(&key, &payload) };
        w.refused(w.store().answer(&held.id, &foreign), AnswerOutcome::NotFound).await;
        let own = Answer { owner: Some(&o), ..result(&key, &payload) };
        assert_eq!(w.store().answer(&held.id, &own).await.unwrap(), AnswerOutcome::Answered(TaskState::Processing));
    }

    async fn a_worker_answers_only_for_what_it_holds(w) {
        let held = asking(w).await;
        let (key, payload) = (call("c1"), json!(1));
        let stale = Answer { token: Some(held.token - 1), ..result(&key, &payload) };
        w.refused(w.store().answer(&held.id, &stale), AnswerOutcome::Unknown).await;
        let own = Answer { token: Some(held.token), ..result(&key, &payload) };
        assert_eq!(w.store().answer(&held.id, &own).await.unwrap(), AnswerOutcome::Answered(TaskState::Processing));
    }

    async fn an_ended_task_says_how_it_was(w) {
        let held = asking(w).await;
        let payload = json!(1);
        w.store().answer(&held.id, &result(&call("c1"), &payload)).await.unwrap();
        w.store().finish(&held, &completed(2, 2), LEASE).await.unwrap();
        let store = w.store();
        w.refused(store.answer(&held.id, &result(&call("c1"), &payload)), AnswerOutcome::Replayed).await;
        let closed = AnswerOutcome::Conflict(WaitOutcome::Closed);
        w.refused(store.answer(&held.id, &result(&call("c2"), &payload)), closed).await;
        w.refused(store.answer(&held.id, &approved(&approval("c3"), &payload)), closed).await;
        let finished = AnswerOutcome::Finished(TaskState::Completed);
        w.refused(store.answer(&held.id, &result(&call("never"), &payload)), finished).await;
    }

    async fn an_answer_after_the_time_is_a_conflict(w) {
        let held = w.held("A").await;
        let mut wait = asks(WaitKind::Caller, call("c1"));
        wait.timeout = Some(Duration::ZERO);
        w.store().commit(&held, &Commit { waits: vec![wait], ..turn(1, 1, 1) }, false, LEASE).await.unwrap();
        w.park(&held, 2, ParkedFor::Answers).await;
        w.store().expire_waits(w.partition, 10).await.unwrap();
        let (key, payload) = (call("c1"), json!({}));
        let timeout = AnswerOutcome::Conflict(WaitOutcome::Timeout);
        w.refused(w.store().answer(&held.id, &result(&key, &payload)), timeout).await;
    }

    async fn progress_is_told_while_a_call_is_open(w) {
        let held = asking(w).await;
        let (o, p) = (owner("o"), owner("p"));
        let (key, data) = (call("c1"), json!({ "call_id": "c1", "percent": 50 }));
        let store = w.store();
        w.step(store.report_progress(&held.id, &key, &data, Some(&o)), ProgressOutcome::Reported, r#"
            + t:A reports = 1
            + t:A:e[2] = now 1 1 progress_update_tool_action_progress {"call_id":"c1","percent":50}
        "#).await;
        w.refused(store.report_progress(&held.id, &key, &data, Some(&p)), ProgressOutcome::NotFound).await;
        w.refused(store.report_progress(&held.id, &call("other"), &data, None), ProgressOutcome::Unknown).await;
        w.refused(store.report_progress(&held.id, &approval("c3"), &data, None), ProgressOutcome::Unknown).await;
        w.refused(store.report_progress(&w.name("nobody"), &key, &data, None), ProgressOutcome::NotFound).await;
        w.park(&held, 2, ParkedFor::Answers).await;
        assert_eq!(store.report_progress(&held.id, &key, &data, None).await.unwrap(), ProgressOutcome::Reported);
        let _: i64 = w.raw("HSET", "t:{A}", &["reports", "10000"]);
        w.refused(store.report_progress(&held.id, &key, &data, None), ProgressOutcome::Exhausted).await;
        store.answer(&held.id, &result(&key, &json!(1))).await.unwrap();
        w.refused(store.report_progress(&held.id, &key, &data, None), ProgressOutcome::Closed).await;
    }
}
