//! A child is known to its parent, and awaited, from the moment it is accepted; whoever has lost the parent spawns none.

use std::time::Duration;

use factorial_core::{Enqueued, RecoverPolicy, TaskState, WaitKey, WaitKind, WaitStatus};

use crate::world::{LEASE, child_of, completed, spawned};

on_each! {
    async fn an_awaited_child_is_registered_as_it_is_accepted(w) {
        let parent = w.held("P").await;
        let mut task = w.task("C");
        task.parent = Some(spawned(&parent, Some(child_of("call"))));
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + ia:a C = 0
            + io:o C = 0
            ~ mt:a:86400000:past enqueued: 1 -> 2
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o C = now
            ~ seq tick: 1 -> 2
            + t:P awaited = 1
            + t:P spawned = 1
            + t:P:c C
            + t:P:e[1] = now 1 0 child_spawned {"task_id":"C","agent":"a"}
            + t:P:k[0] = C
            + t:P:w call/0 = ? child now 0 C
            + t:C agent = a
            + t:C answer_bytes = 1000
            + t:C bytes = 26
            + t:C call = call/0
            + t:C created = now
            + t:C depth = 1
            + t:C i0 = {"t":"input","query":"hi"}
            + t:C owner = o
            + t:C parent = P
            + t:C priority = 5
            + t:C ready = now
            + t:C root = P
            + t:C state = queued
        "#).await;
        // The answer was lost, so it is spawned again, by this worker or by the next one.
        w.refused(w.accept(&task), Enqueued::Exists(task.id.clone())).await;
        w.store().release(&parent, 1).await.unwrap();
        w.refused(w.accept(&task), Enqueued::Exists(task.id.clone())).await;
    }

    async fn a_wait_for_a_child_may_have_a_deadline(w) {
        let parent = w.held("P").await;
        let mut task = w.task("C");
        let mut spawned = spawned(&parent, Some(child_of("call")));
        spawned.timeout = Some(Duration::from_secs(60));
        task.parent = Some(spawned);
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + await P call/0 = now+60s
            + ia:a C = 0
            + io:o C = 0
            ~ mt:a:86400000:past enqueued: 1 -> 2
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o C = now
            ~ seq tick: 1 -> 2
            + t:P awaited = 1
            + t:P spawned = 1
            + t:P:c C
            + t:P:e[1] = now 1 0 child_spawned {"task_id":"C","agent":"a"}
            + t:P:k[0] = C
            + t:P:w call/0 = ? child now now+60s C
            + t:C agent = a
            + t:C answer_bytes = 1000
            + t:C bytes = 26
            + t:C call = call/0
            + t:C created = now
            + t:C depth = 1
            + t:C i0 = {"t":"input","query":"hi"}
            + t:C owner = o
            + t:C parent = P
            + t:C priority = 5
            + t:C ready = now
            + t:C root = P
            + t:C state = queued
        "#).await;
        let waits = w.store().waits(&parent.id).await.unwrap();
        assert_eq!((waits.len(), waits[0].kind, waits[0].is_open()), (1, WaitKind::Child, true));
        let WaitStatus::Open { asked_ms, deadline_ms } = waits[0].status else { panic!("{waits:?}") };
        assert_eq!(deadline_ms, Some(asked_ms + 60_000));
    }

    async fn a_child_that_nobody_awaits_is_known_too(w) {
        let parent = w.held("P").await;
        let mut task = w.task("C");
        task.parent = Some(spawned(&parent, None));
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + ia:a C = 0
            + io:o C = 0
            ~ mt:a:86400000:past enqueued: 1 -> 2
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o C = now
            ~ seq tick: 1 -> 2
            + t:P spawned = 1
            + t:P:c C
            + t:P:e[1] = now 1 0 child_spawned {"task_id":"C","agent":"a"}
            + t:P:k[0] = C
            + t:C agent = a
            + t:C answer_bytes = 1000
            + t:C bytes = 26
            + t:C call
            + t:C created = now
            + t:C depth = 1
            + t:C i0 = {"t":"input","query":"hi"}
            + t:C owner = o
            + t:C parent = P
            + t:C priority = 5
            + t:C ready = now
            + t:C root = P
            + t:C state = queued
        "#).await;
    }

    async fn children_are_listed_in_their_order(w) {
        let parent = w.held("P").await;
        let mut ids = Vec::new();
        for i in 0..5 {
            ids.push(w.child(&format!("C{i}"), &parent, Some(WaitKey::Child("call".into(), i))).await);
        }
        let all = [parent.id.clone(), ids[0].clone()];
        assert_eq!(w.store().children(&all, 10).await.unwrap(), [ids.clone(), vec![]]);
        assert_eq!(w.store().children(&all, 2).await.unwrap()[0], ids[..2]);
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 5);
    }

    async fn one_answer_is_awaited_once(w) {
        let parent = w.held("P").await;
        w.child("C", &parent, Some(child_of("call"))).await;
        w.child("D", &parent, Some(child_of("call"))).await;
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 1);
        // It is the first child's to give: the end of the other one is no answer to it.
        w.store().cancel(&w.id("D"), None).await.unwrap();
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 1);
        w.store().cancel(&w.id("C"), None).await.unwrap();
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 0);
    }

    async fn a_parent_that_is_lost_gets_no_child(w) {
        let parent = w.held("P").await;
        let mut task = w.task("C");
        task.parent = Some(spawned(&parent, Some(child_of("call"))));
        w.expire_lease("P");
        w.store().recover(w.partition, RecoverPolicy { max_recoveries: 3, most: 10 }).await.unwrap();
        w.refused(w.accept(&task), Enqueued::ParentLost).await;
        let next = w.claim(1).await.remove(0).held;
        w.refused(w.accept(&task), Enqueued::ParentLost).await;
        task.parent = Some(spawned(&next, None));
        w.accept(&task).await.unwrap();
        w.store().finish(&next, &completed(1, 1), LEASE).await.unwrap();
        let mut late = w.task("D");
        late.parent = Some(spawned(&next, None));
        w.refused(w.accept(&late), Enqueued::ParentLost).await;
        let nobody = factorial_core::Held { id: w.name("nobody"), token: 1 };
        late.parent = Some(spawned(&nobody, None));
        w.refused(w.accept(&late), Enqueued::ParentLost).await;
    }

    async fn a_tree_has_a_greatest_depth(w) {
        let mut held = w.held("0").await;
        for depth in 1..=3_u32 {
            held = w.held_child(&depth.to_string(), &held, Some(child_of("call"))).await;
            let record = w.store().task(&held.id).await.unwrap().unwrap();
            assert_eq!((record.depth, record.root), (depth, Some(w.id("0"))));
        }
        let mut task = w.task("4");
        let mut parent = spawned(&held, None);
        parent.max_depth = 3;
        task.parent = Some(parent.clone());
        w.refused(w.accept(&task), Enqueued::TooDeep).await;
        parent.max_depth = 4;
        task.parent = Some(parent);
        assert_eq!(w.accept(&task).await.unwrap(), Enqueued::Accepted(TaskState::Queued, 0));
    }

    async fn no_tree_is_deeper_than_thirty_two(w) {
        let mut held = w.held("0").await;
        for depth in 1..=32_u32 {
            held = w.held_child(&depth.to_string(), &held, None).await;
        }
        let mut task = w.task("33");
        let mut parent = spawned(&held, None);
        parent.max_depth = 1_000;
        task.parent = Some(parent);
        w.refused(w.accept(&task), Enqueued::TooDeep).await;
        // Its deepest task is counted at the top, and cancelled from there.
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.store().task(&w.id("0")).await.unwrap().unwrap().tree.tasks, 1);
        w.store().cancel(&w.id("0"), None).await.unwrap();
        assert_eq!(w.state("31").await, Some(TaskState::Cancelled));
    }

    async fn a_root_has_so_many_descendants_in_its_life(w) {
        let root = w.held("root").await;
        let child = w.held_child("C", &root, None).await;
        w.child("D", &child, None).await;
        let mut task = w.task("E");
        let mut parent = spawned(&child, None);
        parent.max_descendants = 2;
        task.parent = Some(parent.clone());
        w.refused(w.accept(&task), Enqueued::TooMany).await;
        w.store().cancel(&w.id("D"), None).await.unwrap();
        w.refused(w.accept(&task), Enqueued::TooMany).await;
        parent.max_descendants = 3;
        task.parent = Some(parent);
        assert_eq!(w.accept(&task).await.unwrap(), Enqueued::Accepted(TaskState::Queued, 0));
    }
}
