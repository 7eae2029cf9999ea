//! Calls made at the same time: each task has its own outcome, whoever it travels with.

use std::{collections::BTreeSet, time::Duration};

use factorial_core::{
    Enqueued, EventBatch, FinishOutcome, Partition, Plain, StoreError, TaskId, TaskState,
};
use factorial_local_redis::Listen;
use factorial_tests::{StoreSetup, TestRedis, TestStore};
use futures::future::join_all;
use ulid::Ulid;

use crate::{
    seed::new_task,
    world::{LEASE, completed, turn},
};

const MANY: usize = 200;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("T{i}")).collect()
}

on_each! {
    async fn many_are_accepted_claimed_and_ended_once(w) {
        let tasks: Vec<_> = names(MANY).iter().map(|name| w.task(name)).collect();
        let accepted = join_all(tasks.iter().map(|task| w.accept(task))).await;
        for outcome in accepted {
            assert_eq!(outcome.unwrap(), Enqueued::Accepted(TaskState::Queued, 0));
        }
        let again = join_all(tasks.iter().map(|task| w.accept(task))).await;
        for (outcome, task) in again.into_iter().zip(&tasks) {
            assert_eq!(outcome.unwrap(), Enqueued::Exists(task.id.clone()));
        }
        let claimed = w.claim(MANY + 1).await;
        let ids: BTreeSet<_> = claimed.iter().map(|c| c.held.id.clone()).collect();
        assert_eq!((claimed.len(), ids.len()), (MANY, MANY));
        let mut finish = completed(1, 1);
        finish.plain = Plain::of(&claimed[0].record);
        let ended = join_all(claimed.iter().map(|c| w.store().finish(&c.held, &finish, LEASE))).await;
        for outcome in ended {
            assert_eq!(outcome.unwrap(), FinishOutcome::Finished);
        }
        // The same twice at once, long after it was applied.
        let twice = claimed.iter().chain(&claimed).map(|c| w.store().finish(&c.held, &finish, LEASE));
        for outcome in join_all(twice).await {
            assert_eq!(outcome.unwrap(), FinishOutcome::Finished);
        }
    }

    async fn each_of_a_list_has_its_own_outcome(w) {
        let first = w.task("A");
        let mut alone = w.task("B");
        alone.previous = Some(w.name("nobody"));
        let outcomes = w.store().enqueue_all(&[first.clone(), alone, first.clone(), w.task("C")]).await.unwrap();
        let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert!(matches!(outcomes[0], Enqueued::Accepted(TaskState::Queued, _)));
        assert_eq!(outcomes[1], Enqueued::PreviousUnusable);
        assert_eq!(outcomes[2], Enqueued::Exists(first.id));
        assert!(matches!(outcomes[3], Enqueued::Accepted(TaskState::Queued, _)));
        assert_eq!(w.claim_names(5).await, ["A", "C"]);
    }

    // A key of another kind in the way of one task, as nothing that we do leaves it.
    async fn an_error_is_one_tasks(w) {
        let (good, mut bad, last) = (w.task("A"), w.task("B"), w.task("C"));
        let long = "x".repeat(1_000);
        bad.input = factorial_core::Entry::Input { messages: vec![], query: Some(long), context: None };
        let _: String = w.raw("SET", "t:{B}:m", &["x"]);
        let outcomes = w.store().enqueue_all(&[good, bad, last]).await.unwrap();
        assert!(matches!(outcomes[0], Ok(Enqueued::Accepted(..))));
        assert!(matches!(&outcomes[1], Err(StoreError::Refused(why)) if why.contains("WRONGTYPE")), "{:?}", outcomes[1]);
        assert!(matches!(outcomes[2], Ok(Enqueued::Accepted(..))));
        assert_eq!(w.claim_names(5).await, ["A", "C"]);
        let _: i64 = w.raw("DEL", "t:{B}", &[]);
        let _: i64 = w.raw("DEL", "t:{B}:m", &[]);
    }

    async fn what_the_holder_says_ends_a_task_the_same(w) {
        let id = w.enqueue("A").await;
        let claimed = w.claim(1).await.remove(0);
        let mut finish = completed(1, 1);
        finish.last = turn(1, 1, 1);
        finish.plain = Plain::of(&claimed.record);
        assert!(finish.plain.is_some());
        w.step(w.store().finish(&claimed.held, &finish, LEASE), FinishOutcome::Finished, r#"
            + done:completed A = now
            - lease A = later
            + mt:a:86400000:past completed = 1
            + mt:a:86400000:past r_ = 1
            + n a:completed = 1
            ~ n a:processing: 1 -> 0
            ~ t:A bytes: 26 -> 94
            + t:A finished = now
            ~ t:A state: processing -> completed
            + t:A turns = 1
            + t:A u:m = 10 0 2 0
            ~ t:A write: 0 -> 1
            + t:A:e[1] = now 1 1 cc {"model":"m","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":2,"reasoning_tokens":0}}
            + t:A:e[2] = now 1 1 run_completed {"turns":1}
            + t:A:m[0] = {"t":"reply","turn":1,"content":"text"}
            + t:A:m[1] = {"t":"output","value":"done"}
        "#).await;
        let events = w.store().events(&id, 0, 10).await.unwrap();
        let names: Vec<_> = events.0.iter().map(|e| (e.seq, e.event_type.as_str())).collect();
        assert_eq!(names, [
            (1, "task_enqueued"), (2, "run_started"), (3, "progress_update_completion_completed"), (4, "run_completed"),
        ]);
        assert_eq!(events.1, 4);
    }

    // Fields travel a line each.
    async fn a_reason_of_several_lines_is_gone_before_the_next_claim(w) {
        let id = w.enqueue("A").await;
        w.store().cancel(&id, Some("one\n\ntwo\r\n")).await.unwrap();
        let record = w.store().task(&id).await.unwrap().unwrap();
        assert_eq!(record.reason.as_deref(), Some("one\n\ntwo\r\n"));
        w.store().retry(&id, None).await.unwrap();
        let claimed = w.claim(1).await.remove(0);
        assert_eq!((claimed.record.reason, claimed.length), (None, 1));
    }

    async fn rare_properties_are_read(w) {
        w.enqueue_with("A", |t| t.deadline = Some(Duration::from_secs(60))).await;
        let claimed = w.claim(1).await.remove(0);
        assert_eq!(Plain::of(&claimed.record), None);
    }

    async fn a_conversation_is_read_from_wherever_it_begins(w) {
        w.enqueue("short").await;
        w.enqueue_with("long", |t| {
            t.input = factorial_core::Entry::Input { messages: vec![], query: Some("é".repeat(900)), context: None };
        }).await;
        // Parts end between characters, whatever these are.
        w.enqueue_with("odd", |t| {
            t.input = factorial_core::Entry::Input { messages: vec![], query: Some("a€é\u{1F600}".repeat(40)), context: None };
        }).await;
        for claimed in w.claim(3).await {
            let finish = completed(1, 1);
            w.store().finish(&claimed.held, &finish, LEASE).await.unwrap();
            let id = &claimed.held.id;
            let all = w.store().entries(id, 0, 10).await.unwrap();
            assert_eq!(all.len(), 2);
            assert_eq!(all[0], claimed.entries[0]);
            assert_eq!(w.store().entries(id, 0, 1).await.unwrap(), all[..1]);
            assert_eq!(w.store().entries(id, 1, 1).await.unwrap(), all[1..]);
            assert!(w.store().entries(id, 2, 5).await.unwrap().is_empty());
            let places = [(id.clone(), 0), (id.clone(), 1), (id.clone(), 2)];
            let at = w.store().entries_at(&places).await.unwrap();
            assert_eq!(at, [Some(all[0].clone()), Some(all[1].clone()), None]);
        }
    }

    async fn what_is_published_reaches_who_came_before(w) {
        let held = w.held("A").await;
        let live: Option<String> = w.raw("HGET", "t:{A}", &["live"]);
        assert_eq!(live, None);
        let mut subscription = w.store().subscribe(&held.id);
        let looked = tokio::time::timeout(Duration::from_secs(5), subscription.next()).await.unwrap();
        assert!(matches!(looked, EventBatch::Look));
        w.store().commit(&held, &turn(1, 1, 1), false, LEASE).await.unwrap();
        let told = tokio::time::timeout(Duration::from_secs(5), subscription.next()).await.unwrap();
        let EventBatch::Events(events) = told else { panic!("{told:?}") };
        assert_eq!(events[0].seq, 3);
    }
}

/// A server that answers nobody: each caller is told in about the time that one call may take, however many wait.
#[tokio::test]
async fn nobody_waits_for_the_timeouts_of_others() {
    let start = || TestRedis::private(Listen::Unix, &[("appendonly", "no")]);
    let redis = tokio::task::spawn_blocking(start).await.unwrap();
    let setup = StoreSetup {
        redis,
        partitions: 1,
        namespace: None,
    };
    let test = TestStore::open(setup, |options| {
        options.timeout = Duration::from_millis(500);
    })
    .await;
    let tasks: Vec<_> = (0..1_000)
        .map(|i| new_task(TaskId::new(Partition(0), Ulid::from(i))))
        .collect();
    let _: String = test.raw(&["CLIENT", "PAUSE", "4000", "ALL"]);
    let started = tokio::time::Instant::now();
    let outcomes = join_all(tasks.iter().map(|task| test.store().enqueue(task))).await;
    let took = started.elapsed();
    assert!(
        outcomes
            .iter()
            .all(|o| o.as_ref().is_err_and(StoreError::is_unavailable))
    );
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    // What had been sent may have been accepted: the calls are repeated, and each task is there once.
    factorial_tests::eventually(Duration::from_secs(10), async || {
        let again = join_all(tasks.iter().map(|task| test.store().enqueue(task))).await;
        again.iter().all(Result::is_ok).then_some(())
    })
    .await;
    let counts = test.store().counts().await.unwrap();
    assert_eq!(counts.values().sum::<u64>(), 1_000);
}
