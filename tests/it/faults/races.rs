//! Cancel racing completion, recovery, and retry: one end each.

use std::time::Duration;

use factorial_core::{
    AgentName, CancelOutcome, ClaimRequest, Commit, Ending, Enqueued, Entry, Failure, Finish,
    FinishOutcome, NewTask, Partition, Priority, RecoverPolicy, RetryOutcome, Start, Store, TaskId,
    TaskState, WorkerId,
};
use factorial_tests::{TestStore, next_call};
use ulid::Ulid;

const ROUNDS: usize = 300;
const LEASE: Duration = Duration::from_secs(30);

fn agent() -> AgentName {
    "racer".parse().unwrap()
}

async fn enqueue(store: &Store) -> TaskId {
    let id = TaskId::new(
        Partition(rand::random_range(0..store.partitions())),
        Ulid::generate(),
    );
    let task = NewTask {
        id: id.clone(),
        agent: agent(),
        owner: "somebody".parse().unwrap(),
        priority: Priority::DEFAULT,
        start: Start::Now,
        input: Entry::Input {
            messages: Vec::new(),
            query: Some("a".to_owned()),
            context: None,
        },
        previous: None,
        parent: None,
        batch: None,
        stream: false,
        deadline: None,
        limits: None,
        metadata: Default::default(),
        tools: None,
        webhook: None,
        trace: None,
        idempotency: None,
    };
    let accepted = store.enqueue(&task).await.unwrap();
    assert!(
        matches!(accepted, Enqueued::Accepted(TaskState::Queued, _)),
        "{accepted:?}"
    );
    id
}

async fn claim(store: &Store, id: &TaskId, lease: Duration) -> factorial_core::Held {
    let worker: WorkerId = "w-1-x".parse().unwrap();
    let request = ClaimRequest {
        partition: id.partition(),
        worker: &worker,
        agent: &agent(),
        most: 1,
        lease,
        number: next_call(),
    };
    let mut claimed = store.claim(request).await.unwrap();
    let claimed = claimed.pop().expect("it was queued");
    assert_eq!(&claimed.held.id, id);
    claimed.held
}

fn finish(ending: Ending) -> Finish {
    Finish {
        plain: None,
        last: Commit {
            write: 1,
            known: 1,
            ..Commit::default()
        },
        ending,
        answer: None,
    }
}

fn failure() -> Ending {
    Ending::Failed(Failure {
        kind: "bad_request".to_owned(),
        message: "no".to_owned(),
        status: None,
    })
}

/// State and number of terminal events.
async fn end(store: &Store, id: &TaskId) -> (TaskState, usize) {
    let (events, _) = store.events(id, 0, 1_000).await.unwrap();
    let ends = events.iter().filter(|e| e.is_terminal()).count();
    (store.task(id).await.unwrap().unwrap().state, ends)
}

/// Yields a random number of times, so that either side may be first.
async fn jitter() {
    for _ in 0..rand::random_range(0..20) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_against_completion() {
    let test = TestStore::new(2).await;
    let mut cancelled = 0;
    for round in 0..ROUNDS {
        let id = enqueue(test.store()).await;
        let held = claim(test.store(), &id, LEASE).await;
        let ending = if round % 2 == 0 {
            Ending::Completed(None)
        } else {
            failure()
        };
        let (store, by) = (test.store().clone(), id.clone());
        let finishing = tokio::spawn(async move {
            jitter().await;
            store.finish(&held, &finish(ending), LEASE).await.unwrap()
        });
        let store = test.store().clone();
        let cancelling = tokio::spawn(async move {
            jitter().await;
            store.cancel(&by, None).await.unwrap()
        });
        let (finished, cancel) = (finishing.await.unwrap(), cancelling.await.unwrap());
        let (state, ends) = end(test.store(), &id).await;
        assert_eq!(ends, 1);
        match (&finished, cancel) {
            (FinishOutcome::Finished, CancelOutcome::Finished(seen)) => assert_eq!(state, seen),
            (FinishOutcome::Stale(Some(TaskState::Cancelled)), CancelOutcome::Cancelled) => {
                assert_eq!(state, TaskState::Cancelled);
                cancelled += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        cancelled > 0 && cancelled < ROUNDS,
        "both sides won at times: {cancelled}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_against_recovery_and_a_late_finish() {
    let test = TestStore::new(2).await;
    let policy = RecoverPolicy {
        max_recoveries: 0,
        most: 10,
    };
    let mut poisoned = 0;
    for round in 0..ROUNDS {
        let id = enqueue(test.store()).await;
        let held = claim(test.store(), &id, Duration::from_millis(1)).await;
        let expired = test.store().now_ms().await.unwrap() + 1;
        while test.store().now_ms().await.unwrap() <= expired {}
        // With a limit of 0 a recovery is an end as well; otherwise the task is queued again.
        let policy = RecoverPolicy {
            max_recoveries: u32::try_from(round % 2).unwrap(),
            ..policy
        };
        let (store, partition) = (test.store().clone(), id.partition());
        let recovering = tokio::spawn(async move {
            jitter().await;
            store.recover(partition, policy).await.unwrap()
        });
        let store = test.store().clone();
        let finishing = tokio::spawn(async move {
            jitter().await;
            store
                .finish(&held, &finish(Ending::Completed(None)), LEASE)
                .await
                .unwrap()
        });
        jitter().await;
        let cancel = test.store().cancel(&id, None).await.unwrap();
        let (recovered, finished) = (recovering.await.unwrap(), finishing.await.unwrap());
        let (state, ends) = end(test.store(), &id).await;
        assert_eq!(ends, 1, "{recovered:?} {finished:?} {cancel:?}");
        let winners = [
            finished == FinishOutcome::Finished && state == TaskState::Completed,
            cancel == CancelOutcome::Cancelled && state == TaskState::Cancelled,
            recovered.poisoned == 1 && state == TaskState::Failed,
        ];
        assert_eq!(
            winners.iter().filter(|won| **won).count(),
            1,
            "{state}: {recovered:?} {finished:?} {cancel:?}"
        );
        poisoned += recovered.poisoned;
    }
    assert!(poisoned > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_against_retry() {
    let test = TestStore::new(2).await;
    for _ in 0..ROUNDS {
        let id = enqueue(test.store()).await;
        let held = claim(test.store(), &id, LEASE).await;
        test.store()
            .finish(&held, &finish(failure()), LEASE)
            .await
            .unwrap();
        let retrying: Vec<_> = (0..2)
            .map(|_| {
                let (store, id) = (test.store().clone(), id.clone());
                tokio::spawn(async move {
                    jitter().await;
                    store.retry(&id, None).await.unwrap()
                })
            })
            .collect();
        jitter().await;
        let cancel = test.store().cancel(&id, None).await.unwrap();
        let mut queued = 0;
        for retry in retrying {
            match retry.await.unwrap() {
                RetryOutcome::Queued => queued += 1,
                RetryOutcome::NotRetryable(state) => assert_eq!(state, TaskState::Queued),
                RetryOutcome::NotFound => panic!("it is there"),
            }
        }
        let (state, ends) = end(test.store(), &id).await;
        // Each retry begins a run, and each run ends once.
        match cancel {
            CancelOutcome::Finished(TaskState::Failed) => {
                assert_eq!((state, queued, ends), (TaskState::Queued, 1, 1))
            }
            CancelOutcome::Cancelled if state == TaskState::Cancelled => {
                assert_eq!((queued, ends), (1, 2))
            }
            CancelOutcome::Cancelled => {
                assert_eq!((state, queued, ends), (TaskState::Queued, 2, 2))
            }
            other => panic!("{other:?}"),
        }
        if state == TaskState::Queued {
            assert_eq!(
                test.store().cancel(&id, None).await.unwrap(),
                CancelOutcome::Cancelled
            );
        }
    }
}
