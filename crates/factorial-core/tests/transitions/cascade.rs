//! A cancellation reaches all descendants, however deep and many.

use std::time::Duration;

use factorial_core::{CancelOutcome, Cascade, ParkedFor, Start, TaskId, TaskState, WaitKey};

use crate::world::{LEASE, World, child_of, completed, failed, spawned};

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
        let (mut names, mut children) = (vec!["root".to_owned()], Vec::new());
        for i in 0..3 {
            let child = format!("child {i}");
            let held = w.held_child(&child, &root, Some(WaitKey::Child("call".into(), i))).await;
            for j in 0..3 {
                let grandchild = format!("grandchild {i} {j}");
                w.child(&grandchild, &held, Some(WaitKey::Child("call".into(), j))).await;
                names.push(grandchild);
            }
            names.push(child);
            children.push(held);
        }
        w.store().release(&children[0], 1).await.unwrap();
        w.park(&children[1], 1, ParkedFor::Children).await;
        w.enqueue_with("later", |t| {
            t.parent = Some(spawned(&root, None));
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
        let root = w.held("root").await;
        for i in 0..10 {
            w.child(&format!("child {i}"), &root, None).await;
        }
        leave_cascade(w, &root.id).await;
        let _: i64 = w.raw("SADD", "t:{root}:c", &["0-01arz3ndektsv4rrffq69g5fav"]);
        let step = w.store().cascade(w.partition, 4).await.unwrap();
        // It looks at four children; one that is gone may be among them.
        assert!(step.more && (3..=4).contains(&step.cancelled), "{step:?}");
        let mut left = 10 - step.cancelled;
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

    async fn a_task_that_has_ended_hides_nothing_below_it(w) {
        let root = w.held("root").await;
        let middle = w.held_child("middle", &root, None).await;
        let low = w.held_child("low", &middle, None).await;
        w.child("leaf", &low, None).await;
        w.store().finish(&low, &completed(1, 1), LEASE).await.unwrap();
        w.store().finish(&middle, &failed(1, 1), LEASE).await.unwrap();
        // It is kept as long as something below it lives.
        let ttl = std::time::Duration::ZERO;
        assert_eq!(w.store().expire(w.partition, TaskState::Completed, ttl, 10).await.unwrap().count, 0);
        assert_eq!(w.store().expire(w.partition, TaskState::Failed, ttl, 10).await.unwrap().count, 0);
        w.store().cancel(&root.id, None).await.unwrap();
        assert_eq!(w.state("leaf").await, Some(TaskState::Cancelled));
        assert_eq!((w.state("low").await, w.state("middle").await), (Some(TaskState::Completed), Some(TaskState::Failed)));
        // All that is left of the family has gone with it, and what runs again comes back.
        assert_eq!(w.raw::<i64>("EXISTS", "t:{root}:c", &[]), 0);
        w.store().retry(&w.id("leaf"), None).await.unwrap();
        assert_eq!(w.raw::<Vec<String>>("SMEMBERS", "t:{root}:c", &[]), [middle.id.to_string()]);
        let leaf = w.claim(1).await.remove(0).held;
        w.store().finish(&leaf, &failed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.raw::<i64>("EXISTS", "t:{root}:c", &[]), 0);
        assert_eq!(w.store().expire(w.partition, TaskState::Completed, ttl, 10).await.unwrap().count, 1);
    }

    async fn a_parent_that_was_retried_keeps_its_children(w) {
        let root = w.held("root").await;
        w.child("child", &root, None).await;
        leave_cascade(w, &root.id).await;
        w.store().retry(&root.id, None).await.unwrap();
        let step = w.store().cascade(w.partition, 4).await.unwrap();
        assert_eq!(step, Cascade { cancelled: 0, more: false });
        assert_eq!(w.state("child").await, Some(TaskState::Queued));
        w.store().cancel(&root.id, None).await.unwrap();
    }
}

on_servers! {
    async fn twelve_hundred_children(w) {
        let root = w.held("root").await;
        let mut names = vec!["root".to_owned()];
        for i in 0..1_200 {
            let name = format!("child {i}");
            let wait = (i % 2 == 0).then(|| WaitKey::Child("call".to_owned(), i));
            if i % 100 == 0 {
                let child = w.held_child(&name, &root, wait).await;
                let below = format!("grandchild {i}");
                let grandchild = w.held_child(&below, &child, Some(child_of("call"))).await;
                let deepest = format!("great-grandchild {i}");
                w.child(&deepest, &grandchild, None).await;
                names.extend([below, deepest]);
            } else {
                w.child(&name, &root, wait).await;
            }
            names.push(name);
        }
        let started = std::time::Instant::now();
        w.store().cancel(&root.id, None).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
        all_cancelled(w, &names).await;
    }
}
