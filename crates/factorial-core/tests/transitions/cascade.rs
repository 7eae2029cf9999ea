//! A cancellation reaches all descendants, however deep and many.

use std::time::Duration;

use factorial_core::{CancelOutcome, Cascade, Start, TaskId, TaskState};

use crate::world::{LEASE, World, completed};

async fn all_cancelled(w: &World, names: &[String]) {
    for name in names {
        assert_eq!(w.state(name).await, Some(TaskState::Cancelled), "{name}");
    }
}

/// As if whoever cancelled the parent had died before the first step of the cascade.
async fn leave_cascade(w: &World, parent: &TaskId) {
    let children = w.key("t:{root}:c");
    let _: String = w.raw("RENAME", "t:{root}:c", &[&w.key("aside")]);
    w.store().cancel(parent, None).await.unwrap();
    let _: String = w.raw("RENAME", "aside", &[&children]);
    let _: i64 = w.raw("RPUSH", "cascade", &[parent.as_str()]);
}

on_each! {
    async fn three_levels_in_each_state(w) {
        let root = w.held("root").await;
        let mut names = vec!["root".to_owned()];
        for i in 0..3 {
            let child = format!("child {i}");
            let id = w.child(&child, &root.id, Some(&child)).await;
            for j in 0..3 {
                let grandchild = format!("grandchild {i} {j}");
                w.child(&grandchild, &id, Some(&grandchild)).await;
                names.push(grandchild);
            }
            names.push(child);
        }
        w.enqueue_with("later", |t| {
            t.parent = Some((root.id.clone(), None));
            t.start = Start::After(LEASE);
        }).await;
        names.push("later".to_owned());
        // Some run, one is in backoff, one has ended.
        let running = w.claim_as("w2", "a", 5).await;
        w.store().back_off(&running[0].held, 1, LEASE, &crate::world::failure()).await.unwrap();
        w.store().finish(&running[1].held, &completed(1, 1), LEASE).await.unwrap();
        let ended = w.name_of(&running[1].held.id);
        names.retain(|n| *n != ended);
        let outcome = w.store().cancel(&root.id, Some("all of it")).await.unwrap();
        assert_eq!(outcome, CancelOutcome::Cancelled);
        all_cancelled(w, &names).await;
        assert_eq!(w.state(&ended).await, Some(TaskState::Completed));
        let record = w.store().task(&w.id("later")).await.unwrap().unwrap();
        assert_eq!(record.reason.as_deref(), Some("parent cancelled"));
        assert_eq!(w.raw::<i64>("EXISTS", "cascade", &[]), 0);
    }

    async fn what_a_cascade_leaves_the_next_one_takes(w) {
        let root = w.enqueue("root").await;
        for i in 0..10 {
            w.child(&format!("child {i}"), &root, None).await;
        }
        leave_cascade(w, &root).await;
        let _: i64 = w.raw("SADD", "t:{root}:c", &["0-01arz3ndektsv4rrffq69g5fav"]);
        let step = w.store().cascade(w.partition, 4).await.unwrap();
        assert_eq!(step, Cascade { cancelled: 4, more: true });
        let mut left = 6;
        loop {
            let step = w.store().cascade(w.partition, 4).await.unwrap();
            left -= step.cancelled;
            if !step.more {
                break;
            }
        }
        assert_eq!(left, 0);
        w.refused(w.store().cascade(w.partition, 4), Cascade { cancelled: 0, more: false }).await;
    }

    async fn a_parent_that_was_retried_keeps_its_children(w) {
        let root = w.enqueue("root").await;
        w.child("child", &root, None).await;
        leave_cascade(w, &root).await;
        w.store().retry(&root, None).await.unwrap();
        let step = w.store().cascade(w.partition, 4).await.unwrap();
        assert_eq!(step, Cascade { cancelled: 0, more: false });
        assert_eq!(w.state("child").await, Some(TaskState::Queued));
        w.store().cancel(&root, None).await.unwrap();
    }
}

on_servers! {
    async fn twelve_hundred_children(w) {
        let root = w.enqueue("root").await;
        let mut names = vec!["root".to_owned()];
        for i in 0..1_200 {
            let name = format!("child {i}");
            let id = w.child(&name, &root, None).await;
            names.push(name);
            if i % 100 == 0 {
                let below = format!("grandchild {i}");
                let id = w.child(&below, &id, None).await;
                let deepest = format!("great-grandchild {i}");
                w.child(&deepest, &id, None).await;
                names.extend([below, deepest]);
            }
        }
        let started = std::time::Instant::now();
        w.store().cancel(&root, None).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        all_cancelled(w, &names).await;
    }
}
