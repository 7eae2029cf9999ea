//! Waking workers: one token at most, and none lost while work is left.

use std::time::{Duration, Instant};

use factorial_core::{AgentName, Start};

use crate::world::{On, World};

fn agents() -> [AgentName; 2] {
    ["b".parse().unwrap(), "a".parse().unwrap()]
}

fn tokens(w: &World) -> i64 {
    w.raw("LLEN", "wake:a", &[])
}

/// A worker takes the token.
fn take(w: &World) {
    let _: Option<String> = w.raw("LPOP", "wake:a", &[]);
}

on_each! {
    async fn there_is_one_token_at_most(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
            assert_eq!(tokens(w), 1);
        }
    }

    async fn whoever_leaves_work_behind_passes_it_on(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        take(w);
        w.claim(2).await;
        assert_eq!(tokens(w), 1);
        take(w);
        w.claim(2).await;
        assert_eq!(tokens(w), 0, "nothing is left");
    }

    async fn a_claim_by_another_way_adds_none(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        w.claim(1).await;
        assert_eq!(tokens(w), 1);
    }

    async fn a_task_that_comes_back_wakes(w) {
        let held = w.held("A").await;
        take(w);
        w.store().release(&held, 1).await.unwrap();
        assert_eq!(tokens(w), 1);
        take(w);
        w.enqueue_with("B", |t| t.start = Start::After(Duration::from_secs(30))).await;
        assert_eq!(tokens(w), 0, "a scheduled task wakes nobody yet");
        let _: i64 = w.raw("ZADD", "delay", &["1", "B"]);
        w.store().promote(w.partition, 10).await.unwrap();
        assert_eq!(tokens(w), 1);
    }

    async fn a_waiter_is_woken_by_push(w) {
        let mut waiter = w.store().waiter(w.partition);
        waiter.ready().await.unwrap();
        let agents = agents();
        let waiting = async {
            let woken = waiter.wait(&agents).await.unwrap();
            (woken, Instant::now())
        };
        let sending = async {
            // Long enough that the other one waits, far shorter than a wait lasts.
            tokio::time::sleep(Duration::from_millis(30)).await;
            let sent = Instant::now();
            w.enqueue("A").await;
            sent
        };
        let ((woken, at), sent) = tokio::join!(waiting, sending);
        assert_eq!(woken, Some("a".parse().unwrap()));
        assert!(at.saturating_duration_since(sent) < Duration::from_millis(500));
        assert_eq!(tokens(w), 0);
        assert!(w.store().has_queued(w.partition, &agents).await.unwrap());
    }
}

/// The in-process engine has no way to end a wait from outside, so there it is short.
#[tokio::test]
async fn a_wait_that_nobody_can_end_ends_by_itself() {
    let w = World::new(On::Embedded).await;
    let mut waiter = w.store().waiter(w.partition);
    let started = Instant::now();
    assert_eq!(waiter.wait(&agents()).await.unwrap(), None);
    let lasted = started.elapsed();
    assert!(
        lasted > Duration::from_millis(900) && lasted < Duration::from_millis(2_000),
        "{lasted:?}"
    );
}

on_servers! {
    async fn a_wait_ends_from_outside(w) {
        let mut waiter = w.store().waiter(w.partition);
        let wait = waiter.ready().await.unwrap();
        // One that has not begun is not ended by that, and whoever asks is told so that it can ask again.
        assert!(!w.store().unblock(&wait).await.unwrap());
        let started = Instant::now();
        let stop = async {
            factorial_tests::eventually(Duration::from_secs(5), async || {
                w.store().unblock(&wait).await.unwrap().then_some(())
            }).await;
        };
        let agents = agents();
        let (woken, ()) = tokio::join!(waiter.wait(&agents), stop);
        assert_eq!(woken.unwrap(), None);
        assert!(started.elapsed() < Duration::from_millis(900));
        assert!(!w.store().unblock(&wait).await.unwrap());
    }
}
