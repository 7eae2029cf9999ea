//! `expire`: an ended task goes after its time, with every key that it had.

use std::time::Duration;

use factorial_core::{Expired, TaskState};

use crate::world::{LEASE, child_of, completed, failed, turn};

on_each! {
    async fn every_key_goes(w) {
        let held = w.held("A").await;
        w.steer(&held.id, "c", &["one"]).await;
        w.child("C", &held, Some(child_of("call"))).await;
        w.store().commit(&held, &turn(1, 1, 1), false, LEASE).await.unwrap();
        w.store().finish(&held, &failed(2, 2), LEASE).await.unwrap();
        w.store().cancel(&w.id("C"), None).await.unwrap();
        let long = Duration::from_secs(60);
        let kept = w.store().expire(w.partition, TaskState::Failed, long, 10).await.unwrap();
        assert_eq!(kept.count, 0);
        assert!(kept.next.unwrap() > Duration::from_secs(50));
        w.store().expire(w.partition, TaskState::Failed, Duration::ZERO, 10).await.unwrap();
        let id = held.id.to_string();
        let after = w.snapshot();
        let left: Vec<&String> = after.keys.keys().filter(|k| k.contains(&id)).collect();
        assert_eq!(left, Vec::<&String>::new());
        // Only its child still names it, as what it was.
        let text = after.to_string();
        assert_eq!(text.lines().filter(|l| l.contains(&id)).collect::<Vec<_>>(), [format!("  parent = {id}"), format!("  root = {id}")]);
        w.store().expire(w.partition, TaskState::Cancelled, Duration::ZERO, 10).await.unwrap();
        let all: Vec<String> = w.snapshot().keys.into_keys().filter(|k| k.contains(":t:")).collect();
        assert_eq!(all, Vec::<String>::new());
    }

    async fn what_goes_is_counted(w) {
        for name in ["A", "B", "C"] {
            let held = w.held(name).await;
            w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        }
        let step = w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 2).await.unwrap();
        assert_eq!(step, Expired { count: 2, next: Some(Duration::ZERO) });
        assert_eq!(w.store().place_size(w.partition, "done:completed").await.unwrap(), 1);
        w.step(w.store().expire(w.partition, TaskState::Completed, Duration::ZERO, 2), Expired { count: 1, next: None }, r#"
            - done:completed C = past
            - ia:a C = 0
            - io:o C = 0
            ~ n a:completed: 1 -> 0
            - t:C agent = a
            - t:C attempts = 1
            - t:C bytes = 55
            - t:C created = past
            - t:C finished = past
            - t:C i0 = {"t":"input","query":"hi"}
            - t:C owner = o
            - t:C priority = 5
            - t:C ready = past
            - t:C started = past
            - t:C state = completed
            - t:C token = token
            - t:C worker = w1
            - t:C write = 1
            - t:C:e[0] = past 1 0 run_started {"worker":"w1","queue_wait_ms":_}
            - t:C:e[1] = past 1 0 run_completed {"turns":null}
            - t:C:m[0] = {"t":"output","value":"done"}
        "#).await;
    }

    async fn a_task_that_lives_is_never_removed(w) {
        w.enqueue("A").await;
        // A broken index must not cost a task.
        let _: i64 = w.raw("ZADD", "done:failed", &["1", "A"]);
        let _: i64 = w.raw("ZADD", "done:failed", &["1", "0-01arz3ndektsv4rrffq69g5fav"]);
        let step = w.store().expire(w.partition, TaskState::Failed, Duration::ZERO, 10).await.unwrap();
        assert_eq!(step, Expired { count: 0, next: None });
        assert_eq!(w.state("A").await, Some(TaskState::Queued));
    }
}
