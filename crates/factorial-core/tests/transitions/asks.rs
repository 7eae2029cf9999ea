//! What a commit registers as awaited, and what it takes.

use std::time::Duration;

use factorial_core::{
    Answer, AnswerOutcome, Commit, CommitOutcome, NewWait, WaitKind, WaitOutcome, WaitStatus,
};
use serde_json::json;

use crate::world::{LEASE, approval, asks, call, child_of, completed, turn};

fn with_waits(waits: Vec<NewWait>) -> Commit {
    Commit {
        waits,
        ..turn(1, 1, 1)
    }
}

on_each! {
    async fn waits_are_registered_with_the_reply(w) {
        let held = w.held("A").await;
        let mut operator = asks(WaitKind::Operator, call("c2"));
        operator.timeout = Some(Duration::from_secs(60));
        let commit = with_waits(vec![
            asks(WaitKind::Caller, call("c1")), operator, asks(WaitKind::Approval, approval("c3")),
        ]);
        w.step(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            + asked approval a o A a:c3 = now
            + asked operator a o A c2 = now
            + await A c2 = now+60s
            ~ lease A: later -> now+30s
            + t:A awaited = 3
            ~ t:A bytes: 26 -> 65
            + t:A turns = 1
            + t:A u:m = 10 0 2 0
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0}}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
            + t:A:w a:c3 = ? approval now 0 1@v1
            + t:A:w c1 = ? caller now 0 1
            + t:A:w c2 = ? operator now now+60s 1
        "#).await;
        w.refused(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![])).await;
        let claimed = {
            w.store().release(&held, 2).await.unwrap();
            w.claim(1).await.remove(0)
        };
        assert_eq!(claimed.waits, w.store().waits(&held.id).await.unwrap());
        assert_eq!((claimed.waits.len(), claimed.record.awaited), (3, 3));
    }

    async fn a_wait_that_stands_is_not_registered_again(w) {
        let held = w.held("A").await;
        w.store().commit(&held, &with_waits(vec![asks(WaitKind::Caller, call("c1"))]), false, LEASE).await.unwrap();
        let again = Commit { write: 2, known: 2, waits: vec![asks(WaitKind::Operator, call("c1"))], ..Commit::default() };
        w.step(w.store().commit(&held, &again, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            ~ lease A: later -> now+30s
            ~ t:A write: 1 -> 2
        "#).await;
    }

    async fn an_answer_that_is_taken_leaves_its_kind_and_print(w) {
        let held = w.held("A").await;
        w.child("C", &held, Some(child_of("c2"))).await;
        let commit = with_waits(vec![asks(WaitKind::Caller, call("c1")), asks(WaitKind::Approval, approval("c3"))]);
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        let key = call("c1");
        let payload = json!({ "n": 1 });
        let answer = Answer {
            key: &key, kinds: &[WaitKind::Caller], outcome: WaitOutcome::Result, payload: &payload, by: json!({}),
            owner: None, token: None,
        };
        w.store().answer(&held.id, &answer).await.unwrap();
        w.store().cancel(&w.id("C"), None).await.unwrap();
        let take = Commit {
            write: 2, known: 2, taken: vec![key.clone(), child_of("c2"), approval("c3"), call("never")], ..Commit::default()
        };
        w.step(w.store().commit(&held, &take, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            ~ lease A: later -> now+30s
            ~ t:A write: 1 -> 2
            ~ t:A:w c1: = caller result past sha1 1 {"n":1} -> . caller result past sha1 1
            - t:A:w c2/0 = = child cancelled past sha1 C {"task_id":"C","status":"cancelled","reason":null}
        "#).await;
        // Whoever repeats the answer is told the same as before; another answer is refused.
        w.refused(w.store().answer(&held.id, &answer), AnswerOutcome::Replayed).await;
        let other = json!({ "n": 2 });
        let answer = Answer { payload: &other, ..answer };
        w.refused(w.store().answer(&held.id, &answer), AnswerOutcome::Conflict(WaitOutcome::Result)).await;
        let waits = w.store().waits(&held.id).await.unwrap();
        assert!(matches!(waits[0].status, WaitStatus::Taken { outcome: WaitOutcome::Result, .. }));
        assert!(waits[1].is_open());
    }

    async fn a_key_that_was_used_up_can_be_asked_again(w) {
        let held = w.held("A").await;
        w.store().commit(&held, &with_waits(vec![asks(WaitKind::Caller, call("c1"))]), false, LEASE).await.unwrap();
        let key = call("c1");
        let answer = Answer {
            key: &key, kinds: &[WaitKind::Caller], outcome: WaitOutcome::Error, payload: &json!({ "message": "no" }),
            by: json!({}), owner: None, token: None,
        };
        w.store().answer(&held.id, &answer).await.unwrap();
        let again = Commit {
            write: 2, known: 2, taken: vec![key.clone()], waits: vec![asks(WaitKind::Operator, call("c1"))], ..Commit::default()
        };
        w.step(w.store().commit(&held, &again, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            + asked operator a o A c1 = now
            ~ lease A: later -> now+30s
            ~ t:A awaited: 0 -> 1
            ~ t:A write: 1 -> 2
            ~ t:A:w c1: = caller error past sha1 1 {"message":"no"} -> ? operator now 0 1
        "#).await;
    }

    async fn what_an_ended_task_awaited_is_closed(w) {
        let held = w.held("A").await;
        let mut operator = asks(WaitKind::Operator, call("c2"));
        operator.timeout = Some(Duration::from_secs(60));
        let commit = with_waits(vec![asks(WaitKind::Caller, call("c1")), operator, asks(WaitKind::Approval, approval("c3"))]);
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        w.step(w.store().finish(&held, &completed(2, 2), LEASE), factorial_core::FinishOutcome::Finished, r#"
            - asked approval a o A a:c3 = past
            - asked operator a o A c2 = past
            - await A c2 = later
            + done:completed A = now
            - lease A = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 1 -> 0
            ~ t:A awaited: 3 -> 0
            ~ t:A bytes: 65 -> 94
            + t:A finished = now
            ~ t:A state: processing -> completed
            ~ t:A write: 1 -> 2
            + t:A:e[2] = now 1 1 run_completed {"turns":null}
            + t:A:m[1] = {"t":"output","value":"done"}
            ~ t:A:w a:c3: ? approval past 0 1@v1 -> = approval closed now sha1 1@v1 {}
            ~ t:A:w c1: ? caller past 0 1 -> = caller closed now sha1 1 {}
            ~ t:A:w c2: ? operator past later 1 -> = operator closed now sha1 1 {}
        "#).await;
    }
}
