//! Whose task comes next: priorities first, then owners in turn.

use factorial_core::Enqueued;
use factorial_core::{NewTask, Priority, Store};
use futures::StreamExt;

use crate::world::{new_task, owner};

fn of(name: &'static str, priority: u8) -> impl FnOnce(&mut NewTask) {
    move |task| {
        task.owner = owner(name);
        task.priority = Priority::try_from(priority).unwrap();
    }
}

async fn enqueue_all(store: &Store, tasks: Vec<NewTask>) {
    let accepted = futures::stream::iter(tasks)
        .map(|task| async move { store.enqueue(&task).await.unwrap() })
        .buffer_unordered(100)
        .filter(|outcome| std::future::ready(matches!(outcome, Enqueued::Accepted(..))));
    assert!(accepted.count().await > 0);
}

on_each! {
    async fn a_higher_priority_comes_first(w) {
        w.enqueue_with("low", of("x", 0)).await;
        w.enqueue_with("middle", of("x", 5)).await;
        w.enqueue_with("high", of("y", 9)).await;
        w.enqueue_with("high 2", of("x", 9)).await;
        assert_eq!(w.claim_names(1).await, ["high"]);
        assert_eq!(w.claim_names(3).await, ["high 2", "middle", "low"]);
    }

    async fn owners_take_turns(w) {
        for (name, whose) in [("x1", "x"), ("x2", "x"), ("x3", "x"), ("y1", "y"), ("y2", "y"), ("z1", "z")] {
            w.enqueue_with(name, of(whose, 5)).await;
        }
        assert_eq!(w.claim_names(6).await, ["x1", "y1", "z1", "x2", "y2", "x3"]);
    }

    async fn turns_are_kept_between_claims(w) {
        for (name, whose) in [("x1", "x"), ("x2", "x"), ("x3", "x"), ("y1", "y"), ("y2", "y")] {
            w.enqueue_with(name, of(whose, 5)).await;
        }
        let mut order = Vec::new();
        for _ in 0..5 {
            order.extend(w.claim_names(1).await);
        }
        assert_eq!(order, ["x1", "y1", "x2", "y2", "x3"]);
    }

    async fn one_owner_alone_gives_all_at_once(w) {
        for name in ["A", "B", "C"] {
            w.enqueue(name).await;
        }
        assert_eq!(w.claim_names(2).await, ["A", "B"]);
        assert_eq!(w.claim_names(2).await, ["C"]);
    }

    async fn a_turn_without_tasks_is_passed_over(w) {
        w.enqueue_with("x1", of("x", 5)).await;
        let _: i64 = w.raw("ZADD", "q:a", &["1", "9:ghost"]);
        assert_eq!(w.claim_names(3).await, ["x1"]);
    }
}

on_servers! {
    async fn ten_thousand_tasks_of_one_owner_do_not_hold_up_another(w) {
        let crowd = (0..10_000).map(|i| {
            let mut task = new_task(w.name(&format!("x{i}")));
            task.owner = owner("crowd");
            task
        });
        enqueue_all(w.store(), crowd.collect()).await;
        w.enqueue_with("y", of("one", 5)).await;
        // The crowd's first, then the other owner's: the second slot at the latest.
        assert!(w.claim_names(2).await.contains(&"y".to_owned()));
        w.enqueue_with("y2", of("one", 5)).await;
        assert!(w.claim_names(2).await.contains(&"y2".to_owned()));
        assert_eq!(w.claim(500).await.len(), 500);
    }
}
