//! `pause`: tasks of a paused agent are accepted and wait; those that run go on.

use factorial_core::{AgentName, CommitOutcome, FinishOutcome};

use crate::world::{LEASE, World, completed, turn};

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

async fn pause(w: &World, name: &str, paused: bool) {
    w.store().set_paused(&agent(name), paused).await.unwrap();
}

on_each! {
    async fn a_paused_agent_is_claimed_nothing_of(w) {
        let held = w.held("A").await;
        pause(w, "a", true).await;
        w.enqueue("B").await;
        w.enqueue_with("C", |task| task.agent = agent("b")).await;
        w.refused(async { Ok::<_, ()>(w.claim(5).await.len()) }, 0).await;
        assert_eq!(w.claim_as("w1", "b", 5).await.len(), 1, "another agent is not");
        // What runs goes on to its end.
        let commit = w.store().commit(&held, &turn(1, 1, 1), true, LEASE).await.unwrap();
        assert_eq!(commit, CommitOutcome::Committed(vec![]));
        let end = w.store().finish(&held, &completed(2, 2), LEASE).await.unwrap();
        assert_eq!(end, FinishOutcome::Finished);
        let names = [agent("a"), agent("b")];
        assert_eq!(w.store().paused(&names).await.unwrap(), [agent("a")].into());
        pause(w, "a", false).await;
        assert_eq!(w.claim_names(5).await, ["B"]);
        assert!(w.store().paused(&names).await.unwrap().is_empty());
    }

    async fn who_resumes_wakes_a_worker(w) {
        pause(w, "a", true).await;
        w.enqueue("A").await;
        // A worker was woken, and found nothing that it may run.
        let _: i64 = w.raw("DEL", "wake:a", &[]);
        assert!(w.claim(1).await.is_empty());
        let waiting: i64 = w.raw("LLEN", "wake:a", &[]);
        assert_eq!(waiting, 0, "nobody is woken for what may not run");
        pause(w, "a", false).await;
        let waiting: i64 = w.raw("LLEN", "wake:a", &[]);
        assert_eq!(waiting, 1);
    }

    async fn doing_it_again_changes_nothing(w) {
        pause(w, "a", true).await;
        w.refused(w.store().set_paused(&agent("a"), true), ()).await;
        pause(w, "a", false).await;
        w.refused(w.store().set_paused(&agent("a"), false), ()).await;
    }

    async fn a_claim_that_is_repeated_is_answered_although_paused(w) {
        w.enqueue("A").await;
        assert_eq!(w.call_claim(7, "w1", "a", 1).await.len(), 1);
        pause(w, "a", true).await;
        assert_eq!(w.call_claim(7, "w1", "a", 1).await.len(), 1, "it holds the task");
        assert!(w.call_claim(8, "w1", "a", 1).await.is_empty());
    }
}
