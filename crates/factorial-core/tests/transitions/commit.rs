//! `commit`: a part of a turn is written once, or not at all.

use factorial_core::{Commit, CommitOutcome, RecoverPolicy, SteerOutcome};

use crate::world::{LEASE, steered, turn};

on_each! {
    async fn a_reply_is_written(w) {
        let held = w.held("A").await;
        let commit = turn(1, 1, 1);
        w.step(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![]), r#"
            ~ lease A: later -> now+30s
            ~ t:A bytes: 26 -> 65
            + t:A turns = 1
            + t:A u:m = 10 0 2 0
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0}}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
        "#).await;
        // Its answer was lost, so it is sent again.
        w.refused(w.store().commit(&held, &commit, false, LEASE), CommitOutcome::Committed(vec![])).await;
        w.store().commit(&held, &turn(2, 2, 2), false, LEASE).await.unwrap();
        let record = w.store().task(&held.id).await.unwrap().unwrap();
        assert_eq!((record.turns, record.total_usage().input), (2, 20));
    }

    async fn steering_is_taken_at_a_boundary_in_order(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "1", &["one"]).await;
        let part = turn(1, 1, 1);
        let outcome = w.store().commit(&held, &part, false, LEASE).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed(vec![]), "not at a boundary");
        assert_eq!(w.steer(&held.id, "2", &["two", "three"]).await, SteerOutcome::Accepted(3));
        let boundary = Commit { write: 2, known: 2, ..Commit::default() };
        w.step(
            w.store().commit(&held, &boundary, true, LEASE),
            CommitOutcome::Committed(steered(&["one", "two", "three"])),
            r#"
            ~ lease A: later -> now+30s
            ~ t:A bytes: 65 -> 196
            - t:A steered = past
            ~ t:A steering: 3 -> 0
            ~ t:A write: 1 -> 2
            + t:A:e[4] = now 1 1 run_steering_applied {"count":3}
            + t:A:m[1] = {"t":"steer","role":"user","content":"one"}
            + t:A:m[2] = {"t":"steer","role":"user","content":"two"}
            + t:A:m[3] = {"t":"steer","role":"user","content":"three"}
            - t:A:s[0] = {"t":"steer","role":"user","content":"one"}
            - t:A:s[1] = {"t":"steer","role":"user","content":"two"}
            - t:A:s[2] = {"t":"steer","role":"user","content":"three"}
        "#).await;
        // The answer was lost: the same messages again, not new ones.
        w.refused(
            w.store().commit(&held, &boundary, true, LEASE),
            CommitOutcome::Committed(steered(&["one", "two", "three"])),
        ).await;
    }

    async fn a_conversation_that_differs_is_left_alone(w) {
        let held = w.held("A").await;
        w.refused(w.store().commit(&held, &turn(1, 2, 1), false, LEASE), CommitOutcome::Diverged(1)).await;
        w.refused(w.store().commit(&held, &turn(1, 0, 1), true, LEASE), CommitOutcome::Diverged(1)).await;
    }

    async fn many_entries_and_fields_are_one_commit(w) {
        let held = w.held("A").await;
        let mut commit = turn(1, 1, 1);
        commit.entries = (0..2_500).map(|_| crate::world::reply(1, "x")).collect();
        assert_eq!(
            w.store().commit(&held, &commit, false, LEASE).await.unwrap(),
            CommitOutcome::Committed(vec![])
        );
        assert_eq!(w.raw::<i64>("LLEN", "t:{A}:m", &[]), 2_500);
    }

    async fn a_commit_ends_a_row_of_crashes(w) {
        let held = w.held("A").await;
        let policy = RecoverPolicy { max_recoveries: 3, most: 10 };
        w.expire_lease("A");
        w.store().recover(w.partition, policy).await.unwrap();
        drop(held);
        let held = w.claim(1).await.remove(0).held;
        assert_eq!(w.raw::<Option<i64>>("HGET", "t:{A}", &["crashes"]), Some(1));
        // Steering taken at a boundary says nothing about the worker's health; a reply does.
        let boundary = Commit { write: 1, known: 1, ..Commit::default() };
        w.store().commit(&held, &boundary, true, LEASE).await.unwrap();
        assert_eq!(w.raw::<Option<i64>>("HGET", "t:{A}", &["crashes"]), Some(1));
        w.store().commit(&held, &turn(2, 1, 1), false, LEASE).await.unwrap();
        assert_eq!(w.raw::<Option<i64>>("HGET", "t:{A}", &["crashes"]), None);
    }
}

#[tokio::test]
async fn too_large_writes_nothing() {
    let w = crate::world::World::with(crate::world::On::Server(1), 64).await;
    let held = w.held("A").await;
    w.refused(
        w.store().commit(&held, &turn(1, 1, 1), true, LEASE),
        CommitOutcome::TooLarge,
    )
    .await;
    let w = crate::world::World::with(crate::world::On::Server(1), 65).await;
    let held = w.held("A").await;
    let outcome = w
        .store()
        .commit(&held, &turn(1, 1, 1), true, LEASE)
        .await
        .unwrap();
    assert_eq!(
        outcome,
        CommitOutcome::Committed(vec![]),
        "exactly the maximum"
    );
}
