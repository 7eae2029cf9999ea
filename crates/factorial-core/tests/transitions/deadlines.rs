//! `enforce_deadlines`: a wall-clock limit ends a task in whatever state it is.

use std::time::Duration;

use factorial_core::{NewTask, Promoted, Start, TaskState};

use crate::world::{LEASE, World, completed, failure};

const NOTHING: Promoted = Promoted {
    count: 0,
    next: None,
};

fn at_once(task: &mut NewTask) {
    task.deadline = Some(Duration::ZERO);
}

/// Its deadline comes now.
fn pass(w: &World) {
    let due = w.raw::<i64>("HGET", "t:{A}", &["deadline"]);
    let _: i64 = w.raw("ZADD", "deadline", &["1", "A"]);
    assert!(due > 1);
}

async fn enforce(w: &World) {
    assert_eq!(
        w.store().enforce_deadlines(w.partition, 10).await.unwrap(),
        Promoted {
            count: 1,
            next: None
        }
    );
    let record = w.store().task(&w.id("A")).await.unwrap().unwrap();
    assert_eq!(record.state, TaskState::Failed);
    assert_eq!(record.failure.unwrap().kind, "limit_exceeded");
}

on_each! {
    async fn a_queued_task_ends(w) {
        w.enqueue_with("A", at_once).await;
        w.step(w.store().enforce_deadlines(w.partition, 10), Promoted { count: 1, next: None }, r#"
            - deadline A = past
            + done:failed A = now
            + mt:a:86400000:past failed = 1
            + n a:failed = 1
            ~ n a:queued: 1 -> 0
            - q:a 5:o = p5#1
            - r:a:5:o A = past
            + t:A failure = {"kind":"limit_exceeded","message":"the task's deadline has passed"}
            + t:A finished = now
            ~ t:A state: queued -> failed
            + t:A:e[0] = now 0 0 run_failed {"kind":"limit_exceeded","message":"the task's deadline has passed"}
        "#).await;
        w.refused(w.store().enforce_deadlines(w.partition, 10), NOTHING).await;
    }

    async fn a_scheduled_task_ends(w) {
        w.enqueue_with("A", |t| { t.deadline = Some(LEASE); t.start = Start::After(LEASE); }).await;
        pass(w);
        enforce(w).await;
    }

    async fn a_task_that_runs_ends(w) {
        w.enqueue_with("A", at_once).await;
        w.claim(1).await;
        enforce(w).await;
    }

    async fn a_task_in_backoff_ends(w) {
        w.enqueue_with("A", at_once).await;
        let held = w.claim(1).await.remove(0).held;
        w.store().back_off(&held, 1, LEASE, &failure()).await.unwrap();
        enforce(w).await;
    }

    async fn an_ended_task_is_left_alone(w) {
        w.enqueue_with("A", at_once).await;
        let held = w.claim(1).await.remove(0).held;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        w.refused(w.store().enforce_deadlines(w.partition, 10), NOTHING).await;
        let _: i64 = w.raw("ZADD", "deadline", &["1", "A"]);
        assert_eq!(w.store().enforce_deadlines(w.partition, 10).await.unwrap(), NOTHING);
        assert_eq!(w.state("A").await, Some(TaskState::Completed));
    }

    async fn one_to_come_is_waited_for(w) {
        w.enqueue_with("A", |t| t.deadline = Some(LEASE)).await;
        w.enqueue("without").await;
        let step = w.store().enforce_deadlines(w.partition, 10).await.unwrap();
        assert_eq!(step.count, 0);
        assert!(step.next.unwrap() <= LEASE);
    }
}
