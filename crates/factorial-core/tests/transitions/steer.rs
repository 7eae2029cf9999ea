//! `steer`: accepted once and in order, or refused with the reason.

use factorial_core::{Commit, CommitOutcome, InputMessage, Signal, Steer, SteerOutcome, TaskState};
use tokio_util::sync::CancellationToken;

use crate::world::{LEASE, completed, message};

fn steer<'a>(messages: &'a [InputMessage], client_id: &'a str) -> Steer<'a> {
    Steer {
        messages,
        interrupt: false,
        client_id,
    }
}

on_each! {
    async fn a_message_waits(w) {
        let id = w.enqueue("A").await;
        let one = [message("one")];
        w.step(w.store().steer(&id, &steer(&one, "c1")), SteerOutcome::Accepted(1), r#"
            + t:A steered = now
            + t:A steering = 1
            + t:A:e[0] = now 0 0 run_steering_accepted {"count":1,"mode":"next_turn"}
            + t:A:s[0] = {"t":"steer","role":"user","content":"one"}
            + t:A:x c1
        "#).await;
        w.refused(w.store().steer(&id, &steer(&one, "c1")), SteerOutcome::Duplicate(1)).await;
        let more = [message("two"), message("three")];
        w.step(w.store().steer(&id, &steer(&more, "c2")), SteerOutcome::Accepted(3), r#"
            ~ t:A steering: 1 -> 3
            + t:A:e[1] = now 0 0 run_steering_accepted {"count":2,"mode":"next_turn"}
            + t:A:s[1] = {"t":"steer","role":"user","content":"two"}
            + t:A:s[2] = {"t":"steer","role":"user","content":"three"}
            + t:A:x c2
        "#).await;
    }

    async fn an_ended_task_refuses(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "before", &["one"]).await;
        w.store().cancel(&held.id, None).await.unwrap();
        let one = [message("one")];
        let finished = SteerOutcome::Finished(TaskState::Cancelled);
        w.refused(w.store().steer(&held.id, &steer(&one, "c1")), finished).await;
        // The one before was accepted; its sender may ask again and is told so.
        w.refused(w.store().steer(&held.id, &steer(&one, "before")), SteerOutcome::Duplicate(0)).await;
        w.refused(w.store().steer(&w.name("nobody"), &steer(&one, "c1")), SteerOutcome::NotFound).await;
        w.enqueue("B").await;
        let held = w.claim(1).await.remove(0).held;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        let finished = SteerOutcome::Finished(TaskState::Completed);
        w.refused(w.store().steer(&held.id, &steer(&one, "c1")), finished).await;
    }

    async fn so_many_may_wait_and_no_more(w) {
        let id = w.enqueue("A").await;
        let many: Vec<InputMessage> = (0..250).map(|i| message(&i.to_string())).collect();
        let outcome = w.store().steer(&id, &steer(&many, "c1")).await.unwrap();
        assert_eq!(outcome, SteerOutcome::Accepted(250));
        // All or nothing.
        w.refused(w.store().steer(&id, &steer(&many[..7], "c2")), SteerOutcome::Full(250)).await;
        let outcome = w.store().steer(&id, &steer(&many[..6], "c2")).await.unwrap();
        assert_eq!(outcome, SteerOutcome::Accepted(256));
        let held = w.claim(1).await.remove(0).held;
        let boundary = Commit { write: 1, known: 1, ..Commit::default() };
        let outcome = w.store().commit(&held, &boundary, true, LEASE).await.unwrap();
        let CommitOutcome::Committed(taken) = outcome else { panic!("{outcome:?}") };
        assert_eq!(taken.len(), 256);
        let outcome = w.store().steer(&id, &steer(&many[..1], "c3")).await.unwrap();
        assert_eq!(outcome, SteerOutcome::Accepted(1));
    }

    async fn a_task_accepts_so_many_calls_in_its_life(w) {
        let id = w.enqueue("A").await;
        let ids: Vec<String> = (0..10_000).map(|i| format!("c{i}")).collect();
        for chunk in ids.chunks(1_000) {
            let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
            let _: i64 = w.raw("SADD", "t:{A}:x", &chunk);
        }
        let one = [message("one")];
        w.refused(w.store().steer(&id, &steer(&one, "new")), SteerOutcome::Exhausted).await;
        w.refused(w.store().steer(&id, &steer(&one, "c77")), SteerOutcome::Duplicate(0)).await;
    }

    async fn an_interrupt_is_told_to_the_holder(w) {
        let held = w.held("A").await;
        let stop = CancellationToken::new();
        let mut signals = w.store().signals(&"w1".parse().unwrap(), stop.clone());
        let one = [message("one")];
        let deadline = std::time::Duration::from_secs(5);
        // The subscription may not stand yet; a signal may be lost, the messages may not.
        let mut sent = 0;
        factorial_tests::eventually(deadline, async || {
            sent += 1;
            let client_id = format!("c{sent}");
            let steer = Steer { messages: &one, interrupt: true, client_id: &client_id };
            w.store().steer(&held.id, &steer).await.unwrap();
            (signals.try_recv() == Ok(Signal::Interrupt(held.id.clone()))).then_some(())
        }).await;
        let boundary = Commit { write: 1, known: 1, ..Commit::default() };
        let outcome = w.store().commit(&held, &boundary, true, LEASE).await.unwrap();
        let CommitOutcome::Committed(taken) = outcome else { panic!("{outcome:?}") };
        assert_eq!(taken.len(), sent);
        stop.cancel();
    }
}
