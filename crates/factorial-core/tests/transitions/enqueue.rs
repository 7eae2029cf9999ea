//! `enqueue`: what an accepted task is made of, and that a refused one leaves nothing.

use std::time::Duration;

use factorial_core::{Enqueued, Start, TaskState};

use crate::world::{LEASE, completed, failed, owner, turn};

const SOON: Duration = Duration::from_secs(60);

on_each! {
    async fn a_task_is_queued(w) {
        let task = w.task("A");
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + ia:a A = 0
            + io:o A = 0
            + mt:a:86400000:past expires
            + mt:a:86400000:past enqueued = 1
            + n a:queued = 1
            + q:a 5:o = p5#1
            + r:a:5:o A = now
            + seq tick = 1
            + t:A agent = a
            + t:A bytes = 26
            + t:A created = now
            + t:A i0 = {"t":"input","query":"hi"}
            + t:A owner = o
            + t:A priority = 5
            + t:A ready = now
            + t:A state = queued
            + wake:a[0] = 1
        "#).await;
        w.refused(w.store().enqueue(&task), Enqueued::Exists(task.id.clone())).await;
    }

    async fn a_second_one_joins_the_queue(w) {
        w.enqueue("A").await;
        let mut task = w.task("B");
        task.stream = true;
        task.limits = Some(serde_json::json!({ "max_turns": 3 }));
        task.metadata.insert("k".to_owned(), "v".to_owned());
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + ia:a B = 0
            + io:o B = 0
            ~ mt:a:86400000:past enqueued: 1 -> 2
            ~ n a:queued: 1 -> 2
            + r:a:5:o B = now
            + t:B agent = a
            + t:B bytes = 26
            + t:B created = now
            + t:B i0 = {"t":"input","query":"hi"}
            + t:B limits = {"max_turns":3}
            + t:B metadata = {"k":"v"}
            + t:B owner = o
            + t:B priority = 5
            + t:B ready = now
            + t:B state = queued
            + t:B stream = 1
        "#).await;
    }

    async fn a_later_start_is_scheduled(w) {
        let mut task = w.task("A");
        task.start = Start::After(SOON);
        task.deadline = Some(SOON);
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Scheduled, 0), r#"
            + deadline A = now+120s
            + delay A = now+60s
            + ia:a A = 0
            + io:o A = 0
            + mt:a:86400000:past expires
            + mt:a:86400000:past enqueued = 1
            + n a:scheduled = 1
            + t:A agent = a
            + t:A bytes = 26
            + t:A created = now
            + t:A deadline = now+120s
            + t:A delayed = 1
            + t:A due = now+60s
            + t:A i0 = {"t":"input","query":"hi"}
            + t:A owner = o
            + t:A priority = 5
            + t:A state = scheduled
        "#).await;
    }

    async fn an_instant_in_the_past_is_now(w) {
        let mut task = w.task("A");
        task.start = Start::At(1_000);
        let outcome = w.accept(&task).await.unwrap();
        assert_eq!(outcome, Enqueued::Accepted(TaskState::Queued, 0));
        let record = w.store().task(&task.id).await.unwrap().unwrap();
        assert_eq!(record.due_ms, None);
        assert_eq!(w.claim_names(1).await, ["A"]);
    }

    async fn an_instant_to_come_is_kept(w) {
        let at = i64::try_from(w.store().now_ms().await.unwrap()).unwrap() + 5_000;
        w.enqueue_with("A", |t| t.start = Start::At(at)).await;
        assert_eq!(w.store().task(&w.id("A")).await.unwrap().unwrap().due_ms, Some(at));
        assert!(w.claim(1).await.is_empty());
    }

    async fn a_conversation_goes_on(w) {
        let held = w.held("A").await;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        let mut task = w.task("B");
        task.previous = Some(held.id.clone());
        w.step(w.accept(&task), Enqueued::Accepted(TaskState::Queued, 0), r#"
            + ia:a B = 0
            + io:o B = 0
            ~ mt:a:86400000:past enqueued: 1 -> 2
            ~ n a:queued: 0 -> 1
            + q:a 5:o = p5#2
            + r:a:5:o B = now
            ~ seq tick: 1 -> 2
            + t:B agent = a
            + t:B bytes = 81
            + t:B conversation = A
            + t:B created = now
            + t:B owner = o
            + t:B previous = A
            + t:B priority = 5
            + t:B ready = now
            + t:B state = queued
            + t:B:m[0] = {"t":"input","query":"hi"}
            + t:B:m[1] = {"t":"output","value":"done"}
            + t:B:m[2] = {"t":"input","query":"hi"}
        "#).await;
        // A third one names the first as the conversation, the second as the one before.
        let claimed = w.claim(1).await.remove(0);
        assert_eq!(claimed.length, 3);
        w.store().finish(&claimed.held, &failed(1, 3), LEASE).await.unwrap();
        w.enqueue_with("C", |t| t.previous = Some(w.id("B"))).await;
        let record = w.store().task(&w.id("C")).await.unwrap().unwrap();
        assert_eq!((record.conversation, record.previous), (w.id("A"), Some(w.id("B"))));
    }

    async fn a_previous_task_must_have_ended_and_be_the_owners(w) {
        let held = w.held("A").await;
        let mut task = w.task("B");
        task.previous = Some(held.id.clone());
        w.refused(w.store().enqueue(&task), Enqueued::PreviousUnusable).await;
        w.store().finish(&held, &completed(1, 1), LEASE).await.unwrap();
        task.owner = owner("another");
        w.refused(w.store().enqueue(&task), Enqueued::PreviousUnusable).await;
        task.previous = Some(w.name("nobody"));
        w.refused(w.store().enqueue(&task), Enqueued::PreviousUnusable).await;
    }

    async fn the_time_of_acceptance_is_told(w) {
        let task = w.task("A");
        let Enqueued::Accepted(_, at) = w.store().enqueue(&task).await.unwrap() else { panic!("refused") };
        assert_eq!(w.store().task(&task.id).await.unwrap().unwrap().created_ms, at);
    }

    async fn what_the_worker_needs_is_kept(w) {
        let mut task = w.task("A");
        task.tools = Some(serde_json::json!([{ "name": "look" }]));
        task.trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        w.accept(&task).await.unwrap();
        let record = w.store().task(&task.id).await.unwrap().unwrap();
        assert_eq!((record.tools, record.trace), (task.tools, task.trace));
        assert_eq!((record.root, record.depth, record.awaited), (None, 0, 0));
    }
}

#[tokio::test]
async fn a_conversation_has_a_maximum_size() {
    let w = crate::world::World::with(crate::world::On::Server(4), 60).await;
    let held = w.held("A").await;
    let commit = turn(1, 1, 1);
    assert_eq!(
        w.store()
            .commit(&held, &commit, false, LEASE)
            .await
            .unwrap(),
        factorial_core::CommitOutcome::TooLarge
    );
    w.store()
        .finish(&held, &completed(1, 1), LEASE)
        .await
        .unwrap();
    let mut task = w.task("B");
    task.previous = Some(held.id.clone());
    w.refused(w.store().enqueue(&task), Enqueued::ConversationTooLarge)
        .await;
}
