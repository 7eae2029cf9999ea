//! A child's end reaches its parent, whether or not the parent has parked.

use factorial_core::{Held, TaskId, TaskState};

use crate::world::{LEASE, World, completed, failed};

/// A parent that waits for its children, as parking leaves it.
async fn park(w: &World, held: &Held) {
    let name = w.name_of(&held.id);
    let key = format!("t:{{{name}}}");
    let _: i64 = w.raw("ZREM", "lease", &[&name]);
    let _: i64 = w.raw("HSET", &key, &["state", "pending_child_tasks"]);
    let _: i64 = w.raw("HDEL", &key, &["worker"]);
    let now = w.store().now_ms().await.unwrap();
    let deadline = (now + 60_000).to_string();
    let _: i64 = w.raw("ZADD", "pending", &[&deadline, &name]);
    let _: i64 = w.raw("HINCRBY", "n", &["a:processing", "-1"]);
    let _: i64 = w.raw("HINCRBY", "n", &["a:pending_child_tasks", "1"]);
    let event = format!("{now} 0 1 run_parked {{}}");
    let _: i64 = w.raw("RPUSH", &format!("{key}:e"), &[&event]);
}

/// A parent that is held, and a child that is held by another worker.
async fn parent_and_child(w: &World) -> (Held, Held) {
    let parent = w.held("P").await;
    w.child("C", &parent.id, Some("call")).await;
    let child = w.claim_as("w2", "a", 1).await.remove(0).held;
    (parent, child)
}

async fn wait_of(w: &World, _parent: &TaskId) -> String {
    w.raw("HGET", "t:{P}:w", &["call"])
}

on_each! {
    async fn a_child_that_ends_first_is_remembered(w) {
        let (parent, child) = parent_and_child(w).await;
        w.step(w.store().finish(&child, &completed(1, 1), LEASE), factorial_core::FinishOutcome::Finished, r#"
            + done:completed C = now
            - lease C = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 2 -> 1
            ~ t:P awaited: 1 -> 0
            - t:P:c C
            ~ t:P:w call: ? -> completed C
            ~ t:C bytes: 26 -> 55
            + t:C finished = now
            ~ t:C state: processing -> completed
            - t:C worker = w2
            ~ t:C write: 0 -> 1
            + t:C:e[2] = now 0 1 run_completed {"turns":null}
            + t:C:m[1] = {"t":"output","value":"done"}
        "#).await;
        w.store().finish(&parent, &completed(1, 1), LEASE).await.unwrap();
    }

    async fn a_parked_parent_is_queued_by_its_last_child(w) {
        let parent = w.held("P").await;
        w.child("C", &parent.id, Some("one")).await;
        w.child("D", &parent.id, Some("two")).await;
        let children = w.claim_as("w2", "a", 2).await;
        park(w, &parent).await;
        w.store().finish(&children[0].held, &failed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::PendingChildTasks));
        w.step(w.store().finish(&children[1].held, &completed(1, 1), LEASE), factorial_core::FinishOutcome::Finished, r#"
            + done:completed D = now
            - lease D = later
            + mt:a:86400000:past completed = 1
            ~ mt:a:86400000:past r_: 1 -> 2
            + n a:completed = 1
            ~ n a:pending_child_tasks: 1 -> 0
            ~ n a:processing: 1 -> 0
            ~ n a:queued: 0 -> 1
            - pending P = later
            + q:a 5:o = p5#3
            + r:a:5:o P = 0
            ~ seq tick: 2 -> 3
            ~ t:P awaited: 1 -> 0
            ~ t:P ready: past -> now
            ~ t:P state: pending_child_tasks -> queued
            - t:P:c D
            + t:P:e[3] = now 0 1 run_unparked {}
            ~ t:P:w two: ? -> completed D
            ~ t:D bytes: 26 -> 55
            + t:D finished = now
            ~ t:D state: processing -> completed
            - t:D worker = w2
            ~ t:D write: 0 -> 1
            + t:D:e[2] = now 0 1 run_completed {"turns":null}
            + t:D:m[1] = {"t":"output","value":"done"}
        "#).await;
        let waits: std::collections::BTreeMap<String, String> = w.raw("HGETALL", "t:{P}:w", &[]);
        assert_eq!(waits["one"], format!("failed {}", w.id("C")));
        assert_eq!(w.claim_names(1).await, ["P"]);
    }

    async fn a_cancelled_child_answers_too(w) {
        let (parent, child) = parent_and_child(w).await;
        park(w, &parent).await;
        w.store().cancel(&child.id, None).await.unwrap();
        assert_eq!(wait_of(w, &parent.id).await, format!("cancelled {}", child.id));
        assert_eq!(w.state("P").await, Some(TaskState::Queued));
    }

    async fn a_child_that_is_stopped_as_poison_answers_too(w) {
        let (parent, child) = parent_and_child(w).await;
        park(w, &parent).await;
        w.expire_lease("C");
        let policy = factorial_core::RecoverPolicy { max_recoveries: 0, most: 10 };
        let recovered = w.store().recover(w.partition, policy).await.unwrap();
        assert_eq!((recovered.recovered, recovered.poisoned), (0, 1));
        assert_eq!(wait_of(w, &parent.id).await, format!("failed {}", child.id));
        assert_eq!(w.state("P").await, Some(TaskState::Queued));
    }

    async fn the_first_answer_to_a_call_counts(w) {
        let (parent, child) = parent_and_child(w).await;
        w.child("D", &parent.id, Some("call")).await;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        w.store().cancel(&w.id("D"), None).await.unwrap();
        assert_eq!(wait_of(w, &parent.id).await, format!("completed {}", child.id));
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 0);
    }

    async fn a_child_outlives_its_parent_without_harm(w) {
        let (parent, child) = parent_and_child(w).await;
        w.store().finish(&parent, &completed(1, 1), LEASE).await.unwrap();
        w.store().expire(w.partition, TaskState::Completed, std::time::Duration::ZERO, 10).await.unwrap();
        assert_eq!(w.state("P").await, None);
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        w.store().retry(&child.id, None).await.unwrap();
    }

    async fn a_retried_child_is_its_parents_again(w) {
        let (_parent, child) = parent_and_child(w).await;
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        w.store().retry(&child.id, None).await.unwrap();
        assert_eq!(w.raw::<Vec<String>>("SMEMBERS", "t:{P}:c", &[]), [child.id.to_string()]);
        // It is not awaited again: the answer stands.
        assert_eq!(w.raw::<i64>("HGET", "t:{P}", &["awaited"]), 0);
        w.store().cancel(&w.id("P"), None).await.unwrap();
        assert_eq!(w.state("C").await, Some(TaskState::Cancelled));
    }

    async fn a_parked_parent_can_be_cancelled_or_run_out_of_time(w) {
        let (parent, child) = parent_and_child(w).await;
        w.steer(&parent.id, "c", &["while it waits"]).await;
        park(w, &parent).await;
        w.store().cancel(&parent.id, None).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::Cancelled));
        assert_eq!(w.state("C").await, Some(TaskState::Cancelled));
        drop(child);
        let late = w.enqueue_with("L", |t| t.deadline = Some(std::time::Duration::ZERO)).await;
        let held = w.claim(1).await.remove(0).held;
        w.child("D", &late, Some("call")).await;
        park(w, &held).await;
        assert_eq!(w.store().enforce_deadlines(w.partition, 10).await.unwrap().count, 1);
        assert_eq!(w.state("L").await, Some(TaskState::Failed));
        // Its child goes on, and its answer comes too late to wake anybody.
        let child = w.claim(1).await.remove(0).held;
        w.store().finish(&child, &completed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.state("L").await, Some(TaskState::Failed));
    }

    async fn an_answer_queues_a_parent_once(w) {
        let (parent, child) = parent_and_child(w).await;
        park(w, &parent).await;
        w.store().finish(&child, &failed(1, 1), LEASE).await.unwrap();
        assert_eq!(w.claim_names(1).await, ["P"]);
        // The child runs again and ends again; the parent is not told twice.
        w.store().retry(&child.id, None).await.unwrap();
        w.store().cancel(&child.id, None).await.unwrap();
        assert_eq!(w.state("P").await, Some(TaskState::Processing));
        assert_eq!(wait_of(w, &parent.id).await, format!("failed {}", child.id));
    }
}
