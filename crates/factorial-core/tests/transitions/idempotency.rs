//! Idempotency keys: one key, one request, one task.

use std::time::Duration;

use factorial_core::{Enqueued, Idempotency, NewTask, Partition, TaskState};

use crate::world::{LEASE, completed, new_task, owner};

const KEPT: Duration = Duration::from_secs(86_400);

fn key(text: &str, request: &str) -> Option<Idempotency> {
    Some(Idempotency::new(
        &owner("o"),
        text,
        request.as_bytes(),
        KEPT,
    ))
}

/// Another task for the same request: a client that asks again.
fn again(w: &crate::world::World, name: &str, task: &NewTask) -> NewTask {
    NewTask {
        id: w.name_in(task.id.partition(), name),
        ..task.clone()
    }
}

on_each! {
    async fn a_request_is_accepted_once(w) {
        let key_1 = key("k", "request").unwrap();
        // A task without relatives lives where its key does.
        let home = key_1.home(w.store().partitions());
        let mut task = new_task(w.name_in(home, "A"));
        task.idempotency = Some(key_1);
        assert_eq!(w.accept(&task).await.unwrap(), Enqueued::Accepted(TaskState::Queued, 0));
        let same = again(w, "B", &task);
        w.refused(w.store().enqueue(&same), Enqueued::Exists(task.id.clone())).await;
        let mut other = again(w, "C", &task);
        other.idempotency = key("k", "another request");
        w.refused(w.store().enqueue(&other), Enqueued::KeyReused).await;
        let stranger = Idempotency::new(&owner("stranger"), "k", b"request", KEPT);
        let home = stranger.home(w.store().partitions());
        let mut theirs = new_task(w.name_in(home, "D"));
        theirs.owner = owner("stranger");
        theirs.idempotency = Some(stranger);
        assert_eq!(w.accept(&theirs).await.unwrap(), Enqueued::Accepted(TaskState::Queued, 0));
    }

    async fn a_key_is_kept_for_its_time(w) {
        let mut task = w.task("A");
        let found = (0..100).find_map(|i| {
            let key = key(&format!("k{i}"), "request")?;
            (key.home(w.store().partitions()) == w.partition).then_some(key)
        });
        task.idempotency = found;
        w.store().enqueue(&task).await.unwrap();
        let keys: Vec<String> =
            w.snapshot().keys.keys().filter(|k| k.contains("}:i:")).cloned().collect();
        assert_eq!(keys.len(), 1);
        let left: i64 = w.test.raw(&["PTTL", &keys[0]]);
        assert!((86_000_000..=86_400_000).contains(&left), "{left}");
    }
}

/// The previous task decides where a task lives, the key where it is looked for: they may be two partitions.
#[tokio::test]
async fn a_key_holds_across_partitions() {
    let w = crate::world::World::new(crate::world::On::Server(4)).await;
    let held = w.held("A").await;
    w.store()
        .finish(&held, &completed(1, 1), LEASE)
        .await
        .unwrap();
    for i in 0..8 {
        let key_text = format!("k{i}");
        let mut first = w.task(&format!("first {i}"));
        first.previous = Some(held.id.clone());
        first.idempotency = key(&key_text, "request");
        let outcome = w.accept(&first).await.unwrap();
        assert_eq!(outcome, Enqueued::Accepted(TaskState::Queued, 0));
        w.refused(
            w.store().enqueue(&first),
            Enqueued::Exists(first.id.clone()),
        )
        .await;
        let same = again(&w, &format!("same {i}"), &first);
        w.refused(w.store().enqueue(&same), Enqueued::Exists(first.id.clone()))
            .await;
        let mut other = again(&w, &format!("other {i}"), &first);
        other.idempotency = key(&key_text, "another");
        w.refused(w.store().enqueue(&other), Enqueued::KeyReused)
            .await;
    }
}

/// The gateway died between the key and the task: whoever asks again gets the task that the key names.
#[tokio::test]
async fn a_reserved_key_is_finished_by_the_next_request() {
    let w = crate::world::World::new(crate::world::On::Server(4)).await;
    let held = w.held("A").await;
    w.store()
        .finish(&held, &completed(1, 1), LEASE)
        .await
        .unwrap();
    let mut first = w.task("B");
    first.previous = Some(held.id.clone());
    first.idempotency = (0..100).find_map(|i| {
        let key = key(&format!("k{i}"), "request")?;
        (key.home(4) == Partition(0)).then_some(key)
    });
    // Accepted, then made as if only the key had been written.
    w.store().enqueue(&first).await.unwrap();
    let before: Vec<String> = w
        .snapshot()
        .keys
        .keys()
        .filter(|k| k.contains("}:i:"))
        .cloned()
        .collect();
    assert_eq!(
        before.len(),
        2,
        "one where the key is looked for, one beside the task"
    );
    w.store().cancel(&first.id, None).await.unwrap();
    w.store()
        .expire(w.partition, TaskState::Cancelled, Duration::ZERO, 10)
        .await
        .unwrap();
    let beside = before.iter().find(|k| k.contains(":3}")).unwrap();
    let _: i64 = w.test.raw(&["DEL", beside]);
    let second = again(&w, "C", &first);
    assert_eq!(
        w.store().enqueue(&second).await.unwrap(),
        Enqueued::Exists(first.id.clone())
    );
    assert_eq!(w.state("B").await, Some(TaskState::Queued));
    assert_eq!(w.state("C").await, None);
}
