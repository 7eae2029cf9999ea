//! `recover`: a task whose worker is gone runs again, but not for ever.

use std::time::Duration;

use factorial_core::{RecoverPolicy, Recovered, TaskState, failure_kind};

use crate::world::{LEASE, World, turn};

const POLICY: RecoverPolicy = RecoverPolicy {
    max_recoveries: 2,
    most: 10,
};

async fn crash(w: &World) -> Recovered {
    w.claim(1).await;
    w.expire_lease("A");
    w.store().recover(w.partition, POLICY).await.unwrap()
}

const RECOVERED: Recovered = Recovered {
    recovered: 1,
    poisoned: 0,
    next: None,
};
const POISONED: Recovered = Recovered {
    recovered: 0,
    poisoned: 1,
    next: None,
};

on_each! {
    async fn an_expired_lease_brings_the_task_to_the_front(w) {
        w.held("A").await;
        w.enqueue("B").await;
        w.expire_lease("A");
        w.step(w.store().recover(w.partition, POLICY), RECOVERED, r#"
            - lease A = 1
            + mt:a:86400000:past recovered = 1
            ~ n a:processing: 1 -> 0
            ~ n a:queued: 1 -> 2
            + r:a:5:o A = 0
            + t:A crashes = 1
            ~ t:A ready: past -> now
            + t:A recoveries = 1
            ~ t:A state: processing -> queued
            - t:A worker = w1
            + t:A:e[1] = now 1 0 task_recovered {"worker":"w1"}
        "#).await;
        w.refused(w.store().recover(w.partition, POLICY), Recovered { recovered: 0, poisoned: 0, next: None }).await;
        assert_eq!(w.claim_names(2).await, ["A", "B"]);
    }

    async fn a_lease_that_stands_is_left_alone(w) {
        w.held("A").await;
        let (recovered, changed) = w.changes(w.store().recover(w.partition, POLICY)).await;
        let recovered = recovered.unwrap();
        assert_eq!((recovered.recovered, recovered.poisoned, changed.as_str()), (0, 0, ""));
        let next = recovered.next.unwrap();
        assert!(next <= LEASE && next > LEASE - Duration::from_secs(5), "{next:?}");
    }

    async fn a_task_that_takes_workers_down_is_stopped(w) {
        w.enqueue("A").await;
        assert_eq!(crash(w).await, RECOVERED);
        assert_eq!(crash(w).await, RECOVERED);
        w.claim(1).await;
        w.expire_lease("A");
        w.step(w.store().recover(w.partition, POLICY), POISONED, r#"
            + done:failed A = now
            - lease A = 1
            + mt:a:86400000:past failed = 1
            + mt:a:86400000:past r_ = 1
            + n a:failed = 1
            ~ n a:processing: 1 -> 0
            ~ t:A crashes: 2 -> 3
            + t:A failure = {"kind":"poison","message":"its worker died 3 times in a row without a commit between"}
            + t:A finished = now
            ~ t:A recoveries: 2 -> 3
            ~ t:A state: processing -> failed
            + t:A:e[5] = now 3 0 run_failed {"kind":"poison","message":"its worker died 3 times in a row without a commit between"}
        "#).await;
        let record = w.store().task(&w.id("A")).await.unwrap().unwrap();
        assert_eq!(record.failure.unwrap().kind, failure_kind::POISON);
        assert_eq!((record.retries, record.attempts), (0, 3), "crashes are not errors");
        // An operator's retry starts the count again.
        w.store().retry(&w.id("A"), None).await.unwrap();
        assert_eq!(crash(w).await, RECOVERED);
    }

    async fn a_commit_between_starts_the_count_again(w) {
        w.enqueue("A").await;
        assert_eq!(crash(w).await, RECOVERED);
        assert_eq!(crash(w).await, RECOVERED);
        let held = w.claim(1).await.remove(0).held;
        w.store().commit(&held, &turn(1, 1, 1), false, LEASE).await.unwrap();
        w.expire_lease("A");
        assert_eq!(w.store().recover(w.partition, POLICY).await.unwrap(), RECOVERED);
        assert_eq!(crash(w).await, RECOVERED);
        assert_eq!(crash(w).await, POISONED);
    }

    async fn the_first_crash_can_be_the_last(w) {
        w.held("A").await;
        w.held("B").await;
        w.expire_lease("A");
        let never = RecoverPolicy { max_recoveries: 0, most: 10 };
        assert_eq!(w.store().recover(w.partition, never).await.unwrap().poisoned, 1);
        assert_eq!(w.state("A").await, Some(TaskState::Failed));
        assert_eq!(w.state("B").await, Some(TaskState::Processing));
    }

    async fn an_entry_of_another_state_is_dropped(w) {
        w.enqueue("A").await;
        let _: i64 = w.raw("ZADD", "lease", &["1", "A"]);
        let _: i64 = w.raw("ZADD", "lease", &["1", "0-01arz3ndektsv4rrffq69g5fav"]);
        let nothing = Recovered { recovered: 0, poisoned: 0, next: None };
        assert_eq!(w.store().recover(w.partition, POLICY).await.unwrap(), nothing);
        assert_eq!(w.state("A").await, Some(TaskState::Queued));
    }

    async fn two_reapers_recover_each_expiry_once(w) {
        for i in 0..40 {
            w.enqueue(&format!("A{i}")).await;
        }
        w.claim(40).await;
        for i in 0..40 {
            w.expire_lease(&format!("A{i}"));
        }
        let step = || w.store().recover(w.partition, POLICY);
        let steps = futures::future::join_all((0..10).map(|_| step())).await;
        assert_eq!(steps.into_iter().map(|s| s.unwrap().recovered).sum::<u64>(), 40);
    }
}
