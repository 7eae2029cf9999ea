//! `claim`: the lease, the token, and the order within an owner.

use std::time::Duration;

use factorial_core::{Commit, CommitOutcome, Entry, SteerOutcome, TaskState};

use crate::world::{LEASE, completed, message, reply, steered, turn};

on_each! {
    async fn nothing_queued_is_empty(w) {
        w.refused(async { Ok::<_, ()>(w.claim(5).await.len()) }, 0).await;
    }

    async fn a_task_is_leased(w) {
        w.enqueue("A").await;
        w.step(async { Ok::<_, ()>(w.claim(5).await.len()) }, 1, r#"
            + lease A = now+30s
            + mt:a:86400000:past claimed = 1
            + mt:a:86400000:past w_ = 1
            + n a:processing = 1
            ~ n a:queued: 1 -> 0
            - q:a 5:o = p5#1
            - r:a:5:o A = past
            + seq claim:w1 = now+30s token
            + seq token = token
            + t:A attempts = 1
            + t:A started = now
            ~ t:A state: queued -> processing
            + t:A token = token
            + t:A worker = w1
            + t:A write = 0
            + t:A:e[0] = now 1 0 run_started {"worker":"w1","queue_wait_ms":_}
        "#).await;
    }

    async fn a_claim_says_what_the_worker_needs(w) {
        w.enqueue_with("A", |t| t.input = Entry::Input {
            messages: vec![message("before")], query: None, context: Some(serde_json::json!({ "k": [1] })),
        }).await;
        let claimed = w.claim(1).await.remove(0);
        assert_eq!(claimed.record.state, TaskState::Processing);
        assert_eq!(claimed.record.attempts, 1);
        assert_eq!(claimed.record.worker.as_ref().map(|w| w.as_str()), Some("w1"));
        assert_eq!(claimed.length, 1);
        assert_eq!(claimed.entries, [Entry::Input {
            messages: vec![message("before")], query: None, context: Some(serde_json::json!({ "k": [1] })),
        }]);
        assert_eq!(claimed.corrupt, None);
        assert_eq!(claimed.record.started_ms, Some(claimed.claimed_ms.cast_signed()));
    }

    async fn a_repeated_call_returns_what_it_leased(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        let first = w.call_claim(7, "w1", "a", 2).await;
        assert_eq!(first.len(), 2);
        let same = format!("{first:?}");
        // For whatever agent, and however many: its own number is what it is known by.
        for (agent, most) in [("a", 2), ("b", 1), ("a", 64)] {
            w.refused(async { Ok::<_, ()>(format!("{:?}", w.call_claim(7, "w1", agent, most).await)) }, same.clone()).await;
        }
        w.refused(async { Ok::<_, ()>(w.call_claim(6, "w1", "a", 2).await.len()) }, 0).await;
        let other = w.call_claim(7, "w2", "a", 2).await;
        assert_eq!(other[0].held.id, w.id("C"));
        assert!(w.call_claim(8, "w1", "a", 2).await.is_empty());
    }

    async fn a_repeated_call_returns_what_is_still_held_under_it(w) {
        for name in ["A", "B", "C", "D"] {
            w.enqueue(name).await;
        }
        let before = w.call_claim(1, "w1", "a", 1).await.remove(0).held;
        let first = w.call_claim(2, "w1", "a", 3).await;
        w.store().finish(&first[0].held, &completed(1, 1), LEASE).await.unwrap();
        w.store().release(&first[1].held, 1).await.unwrap();
        let again = w.call_claim(2, "w1", "a", 3).await;
        let held: Vec<_> = again.into_iter().map(|c| c.held).collect();
        assert_eq!(held, [first[2].held.clone()]);
        assert_ne!(before, held[0]);
    }

    async fn a_call_that_found_nothing_can_find_something_when_repeated(w) {
        assert!(w.call_claim(1, "w1", "a", 2).await.is_empty());
        w.enqueue("A").await;
        assert_eq!(w.call_claim(1, "w1", "a", 2).await.len(), 1);
    }

    async fn another_agents_tasks_stay(w) {
        w.enqueue("A").await;
        assert!(w.claim_as("w1", "b", 5).await.is_empty());
        assert_eq!(w.state("A").await, Some(TaskState::Queued));
    }

    async fn an_owners_tasks_are_claimed_in_order(w) {
        for name in ["A", "B", "C", "D", "E"] {
            w.enqueue(name).await;
        }
        assert_eq!(w.claim_names(2).await, ["A", "B"]);
        assert_eq!(w.claim_names(1).await, ["C"]);
        assert_eq!(w.claim_names(5).await, ["D", "E"]);
    }

    async fn a_task_that_was_handed_back_comes_first(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        let held = w.claim(1).await.remove(0).held;
        w.store().release(&held, 1).await.unwrap();
        assert_eq!(w.claim_names(2).await, ["A", "B"]);
    }

    async fn tokens_grow(w) {
        let mut last = 0;
        for name in ["A", "B", "C", "D"] {
            w.enqueue(name).await;
        }
        for _ in 0..3 {
            for claimed in w.claim(2).await {
                assert!(claimed.held.token > last);
                last = claimed.held.token;
                w.store().release(&claimed.held, 1).await.unwrap();
            }
        }
        // Redis came back without its last second, or with the clock's word alone.
        let _: i64 = w.raw("DEL", "seq", &[]);
        for claimed in w.claim(4).await {
            assert!(claimed.held.token > last);
            last = claimed.held.token;
        }
        // The clock went back: the stored number decides.
        let far = last + 3_600_000_000;
        let _: i64 = w.raw("HSET", "seq", &["token", &far.to_string()]);
        w.enqueue("E").await;
        assert!(w.claim(1).await[0].held.token > far);
    }

    // A claim may find a turn whose tools are not done: steering comes after their results, at the next boundary.
    async fn steering_that_waits_is_left_to_the_next_boundary(w) {
        let id = w.enqueue("A").await;
        assert_eq!(w.steer(&id, "1", &["one", "two"]).await, SteerOutcome::Accepted(2));
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.length, claimed.record.steering), (1, 2));
        let boundary = Commit { write: 1, known: 1, ..Commit::default() };
        let taken = w.store().commit(&claimed.held, &boundary, true, LEASE).await.unwrap();
        assert_eq!(taken, CommitOutcome::Committed(steered(&["one", "two"])));
    }

    async fn a_long_conversation_comes_in_part(w) {
        let held = w.held("A").await;
        let mut commit = turn(1, 1, 1);
        commit.entries = (0..99).map(|i| reply(1, &format!("text {i}"))).collect();
        w.store().commit(&held, &commit, false, LEASE).await.unwrap();
        w.store().release(&held, 2).await.unwrap();
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.entries.len(), claimed.length), (65, 100));
        let rest = w.store().entries(&held.id, 65, 1_000).await.unwrap();
        assert_eq!(rest.len(), 35);
        assert_eq!(rest[0], reply(1, "text 64"));
    }

    async fn an_entry_that_cannot_be_read_is_reported(w) {
        w.enqueue("A").await;
        let input: String = w.raw("HGET", "t:{A}", &["i0"]);
        let _: i64 = w.raw("HSET", "t:{A}", &["i0", "{\"t\":\"from the future\"}"]);
        let claimed = w.claim(1).await.remove(0);
        assert!(claimed.corrupt.is_some());
        assert!(claimed.entries.is_empty());
        let _: i64 = w.raw("HSET", "t:{A}", &["i0", &input]);
    }

    async fn entries_without_a_queued_task_are_passed_over(w) {
        for name in ["A", "B"] {
            w.enqueue(name).await;
        }
        // Two that never were, in front of the queue.
        for ghost in ["0-01arz3ndektsv4rrffq69g5fav", "0-01arz3ndektsv4rrffq69g5faw"] {
            let _: i64 = w.raw("ZADD", "r:a:5:o", &["0", ghost]);
        }
        let _: i64 = w.raw("DEL", "wake:a", &[]);
        assert!(w.claim(2).await.is_empty());
        let tokens: i64 = w.raw("LLEN", "wake:a", &[]);
        assert_eq!(tokens, 1, "a claim that leaves work behind passes the wake-up on");
        assert_eq!(w.claim_names(2).await, ["A", "B"]);
    }

    async fn a_lease_is_as_long_as_asked(w) {
        let held = w.held("A").await;
        let deadline: i64 = w.raw("ZSCORE", "lease", &["A"]);
        let left = deadline - w.store().now_ms().await.unwrap().cast_signed();
        assert!((LEASE - Duration::from_secs(5)).as_millis() < left.unsigned_abs().into());
        w.store().release(&held, 1).await.unwrap();
    }
}
