//! Redis that goes away under load: restarted, killed, frozen, with its scripts forgotten.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_api::ErrorCode;
use factorial_core::TaskState;
use factorial_local_redis::{ControlError, Listen, LocalRedis};
use factorial_sim::Behaviour;
use factorial_tests::{
    TestRedis,
    system::{Refusal, Setup, System, ToolServer, agent, ask},
};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::obliging_tools;

/// Answers to a client while Redis is away.
#[derive(Default)]
struct Refusals {
    count: usize,
    slowest: Duration,
}

/// A system on a server of its own, with two workers, and tasks that keep coming until `check`.
struct Loaded {
    system: Arc<System>,
    stop: CancellationToken,
    submitter: JoinHandle<Refusals>,
    _tools: Arc<ToolServer>,
}

impl Loaded {
    async fn start(setup: Setup) -> Self {
        let tools = obliging_tools().await;
        let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[]))
            .await
            .unwrap();
        let setup = setup
            .redis(redis)
            .agent(agent("clerk", json!({ "tools": [tools.tool("note")] })))
            .model(Behaviour::latency(Duration::from_millis(150)));
        let system = Arc::new(System::start(setup).await);
        system.start_worker().await;
        system.start_worker().await;
        let stop = CancellationToken::new();
        let submitter = tokio::spawn(keep_submitting(Arc::clone(&system), stop.clone()));
        let loaded = Self {
            system,
            stop,
            submitter,
            _tools: tools,
        };
        loaded.goes_on().await;
        loaded
    }

    async fn control<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut LocalRedis) -> T + Send + 'static,
    ) -> T {
        let redis = Arc::clone(self.system.redis());
        tokio::task::spawn_blocking(move || redis.control(act))
            .await
            .unwrap()
    }

    /// A task that is submitted now runs to its end.
    async fn goes_on(&self) {
        let id = self.system.submit(ask("clerk", "goes on?")).await;
        assert_eq!(self.system.end(&id).await.state, TaskState::Completed);
    }

    /// Everything accepted ends, and only as completed.
    async fn check(self) -> Outcome {
        self.goes_on().await;
        self.stop.cancel();
        let refusals = self.submitter.await.expect("the submitter ends");
        eprintln!(
            "{} submissions refused, the slowest after {:?}",
            refusals.count, refusals.slowest
        );
        let tasks = self.system.quiet(Duration::from_secs(60)).await;
        for task in &tasks {
            assert_eq!(task.state, TaskState::Completed, "{task:?}");
            assert_eq!((task.turns, task.retries), (2, 0), "{task:?}");
            let asked = u32::try_from(self.system.asked(&task.id).len()).unwrap();
            // A recovery can repeat one call, of which the reply was not committed.
            assert!(
                asked <= 2 + task.recoveries,
                "{asked} model calls: {task:?}"
            );
        }
        for process in self.system.running() {
            assert!(process.ended().is_none());
        }
        let recoveries = tasks.iter().map(|t| t.recoveries).sum();
        Arc::into_inner(self.system)
            .expect("nobody else has it")
            .finish()
            .await;
        Outcome {
            tasks: tasks.len(),
            recoveries,
            refusals,
        }
    }
}

struct Outcome {
    tasks: usize,
    recoveries: u32,
    refusals: Refusals,
}

/// Submits tasks, each again under its key until it is accepted.
async fn keep_submitting(system: Arc<System>, stop: CancellationToken) -> Refusals {
    let mut refusals = Refusals::default();
    for n in 0_u32.. {
        loop {
            let started = Instant::now();
            match system
                .submit_once(&ask("clerk", format!("{n}")), &format!("key-{n}"))
                .await
            {
                Ok(_) => break,
                Err(refusal) => {
                    assert_eq!(refusal, Refusal::Refused(ErrorCode::StoreUnavailable));
                    refusals.count += 1;
                    refusals.slowest = refusals.slowest.max(started.elapsed());
                }
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        if stop.is_cancelled() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    refusals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarted_under_load() {
    let loaded = Loaded::start(Setup::defaults()).await;
    for _ in 0..3 {
        loaded
            .control(LocalRedis::restart)
            .await
            .expect("it restarts");
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let outcome = loaded.check().await;
    assert!(outcome.tasks > 20);
    assert_eq!(outcome.recoveries, 0, "a short restart costs no lease");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_down_for_longer_than_a_lease() {
    let loaded = Loaded::start(Setup::fast()).await;
    loaded.control(LocalRedis::kill).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    loaded
        .control(LocalRedis::restart)
        .await
        .expect("it restarts");
    let refusals = loaded.check().await.refusals;
    assert!(
        refusals.count > 5 && refusals.slowest < Duration::from_secs(1),
        "{:?}",
        refusals.slowest
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_for_longer_than_a_lease() {
    let loaded = Loaded::start(Setup::fast()).await;
    loaded.control(LocalRedis::pause).await.expect("it freezes");
    tokio::time::sleep(Duration::from_secs(10)).await;
    loaded
        .control(LocalRedis::resume)
        .await
        .expect("it goes on");
    let refusals = loaded.check().await.refusals;
    assert!(
        refusals.count > 5 && refusals.slowest < Duration::from_secs(1),
        "{:?}",
        refusals.slowest
    );
}

/// Connections that are open and silent, for less than a lease: nothing is lost, and no wake-up for more than a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_for_a_moment() {
    let loaded = Loaded::start(Setup::defaults()).await;
    for _ in 0..2 {
        loaded.control(LocalRedis::pause).await.expect("it freezes");
        tokio::time::sleep(Duration::from_secs(3)).await;
        let resumed: Result<(), ControlError> = loaded.control(LocalRedis::resume).await;
        resumed.expect("it goes on");
        let id = loaded.system.submit(ask("clerk", "after")).await;
        let task = loaded
            .system
            .when(&id, Duration::from_secs(20), |t| t.started_ms.is_some())
            .await;
        let waited = task.started_ms.unwrap() - task.created_ms;
        assert!(waited <= 1_500, "{waited} ms");
    }
    assert_eq!(loaded.check().await.recoveries, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_flushed_under_load() {
    let loaded = Loaded::start(Setup::defaults()).await;
    let redis = Arc::clone(loaded.system.redis());
    let flush = move || {
        let mut raw = redis.connection();
        for _ in 0..600 {
            deadpool_redis::redis::cmd("SCRIPT")
                .arg("FLUSH")
                .exec(&mut raw)
                .expect("it flushes");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    tokio::task::spawn_blocking(flush).await.unwrap();
    assert_eq!(loaded.check().await.recoveries, 0);
}

/// New work is refused, and what was accepted is finished.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn out_of_memory() {
    let tools = obliging_tools().await;
    let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[]))
        .await
        .unwrap();
    let setup = Setup::fast()
        .redis(Arc::clone(&redis))
        .worker("--batch-size", "10")
        .agent(agent("clerk", json!({ "tools": [tools.tool("note")] })));
    let system = System::start(setup).await;
    system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        // Some are queued, some run for longer than a lease.
        let latency = if n % 5 == 0 { 4_000 } else { 300 };
        ids.push(
            system
                .submit(ask("clerk", format!("[[sim:latency_ms={latency}]] {n}")))
                .await,
        );
    }
    system.when_asked(&ids[0], 1).await;
    let limit = move |memory: &'static str| {
        let mut set = deadpool_redis::redis::cmd("CONFIG");
        set.arg("SET")
            .arg("maxmemory")
            .arg(memory)
            .exec(&mut redis.connection())
            .expect("it is set");
    };
    let unlimit = limit.clone();
    tokio::task::spawn_blocking(move || limit("1mb"))
        .await
        .unwrap();
    let refused = system.submit_once(&ask("clerk", "more"), "more").await;
    assert_eq!(refused, Err(Refusal::Refused(ErrorCode::StoreFull)));
    for id in &ids {
        let task = system.end(id).await;
        assert_eq!(
            (task.state, task.attempts, task.recoveries),
            (TaskState::Completed, 1, 0)
        );
    }
    tokio::task::spawn_blocking(move || unlimit("0"))
        .await
        .unwrap();
    let id = system.submit(ask("clerk", "more")).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    system.finish().await;
}

/// A server that would throw tasks away is refused in words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evicting_server_is_refused() {
    let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[]))
        .await
        .unwrap();
    let system = System::start(
        Setup::fast()
            .redis(Arc::clone(&redis))
            .agent(agent("plain", json!({}))),
    )
    .await;
    let evict = move || {
        let mut set = deadpool_redis::redis::cmd("CONFIG");
        set.arg("SET")
            .arg("maxmemory-policy")
            .arg("allkeys-lru")
            .exec(&mut redis.connection())
            .expect("it is set");
    };
    tokio::task::spawn_blocking(evict).await.unwrap();
    let worker = system.launch_worker();
    assert!(!worker.exit(Duration::from_secs(10)).await.success());
    assert!(worker.log().contains("noeviction"), "{}", worker.log());
    system.finish().await;
}
