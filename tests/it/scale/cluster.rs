//! A cluster: tasks on all masters, slots that move under load, a master that is replaced.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_core::{ConnectError, Store, StoreOptions, TaskState};
use factorial_local_redis::LocalRedis;
use factorial_sim::Behaviour;
use factorial_tests::{
    Served as _, TestCluster, TestRedis,
    system::{Setup, System, agent, ask},
};
use futures::StreamExt as _;
use serde_json::json;

use super::{Load, on, three_masters};

async fn started(cluster: &Arc<TestCluster>, setup: Setup) -> Arc<System> {
    let setup = setup
        .on(Arc::clone(cluster) as Arc<_>)
        .agent(agent("plain", json!({})))
        .model(Behaviour::latency(Duration::from_millis(50)));
    let system = Arc::new(System::start(setup).await);
    system.start_worker().await;
    system.start_worker().await;
    system
}

async fn finish(system: Arc<System>) {
    let system = Arc::into_inner(system).expect("nobody else has it");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_run_on_every_master() {
    let cluster = three_masters().await;
    let system = started(&cluster, Setup::defaults()).await;
    assert_eq!(system.store().partitions(), 12);
    let mut owners = vec![0; 3];
    for partition in system.store().all_partitions() {
        let base = system.store().keys().base(partition);
        let owner = on(&cluster, move |c| c.owner(c.slot(&base))).await;
        owners[owner.expect("an owner")] += 1;
    }
    assert_eq!(owners, [4, 4, 4]);
    let first = system.submit(ask("plain", "0")).await;
    let client = system.client().clone();
    let watched = first.to_string();
    let watching = tokio::spawn(async move {
        let mut events = std::pin::pin!(client.events(&watched, 0));
        let mut seen = Vec::new();
        while let Some(event) = events.next().await {
            seen.push(event.expect("an event").seq);
        }
        seen
    });
    for n in 1..120 {
        system.submit(ask("plain", format!("{n}"))).await;
    }
    let tasks = system.quiet(Duration::from_secs(60)).await;
    assert!(tasks.iter().all(|t| t.state == TaskState::Completed));
    let partitions: BTreeSet<u16> = tasks.iter().map(|t| t.id.partition().0).collect();
    assert!(partitions.len() >= 11, "{partitions:?}");
    let seen = watching.await.unwrap();
    let all = system.events(&first).await.len() as u64;
    assert_eq!(seen, (1..=all).collect::<Vec<_>>());
    // An idle worker is woken wherever the task is.
    for partition in 0..12 {
        let id = loop {
            let id = system.submit(ask("plain", "one more")).await;
            if id.partition().0 == partition {
                break id;
            }
        };
        let task = system.end(&id).await;
        let waited = task.started_ms.unwrap() - task.created_ms;
        assert!(waited < 900, "{waited} ms in partition {partition}");
    }
    let redis = system.store().server_info().await.unwrap();
    assert_eq!(redis.mode, "cluster");
    finish(system).await;
}

/// While a slot is on its way nothing is changed there, nothing is lost, and all of it goes on at once afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_move_under_load() {
    let cluster = three_masters().await;
    let system = started(&cluster, Setup::defaults()).await;
    let load = Load::start(&system, "plain");
    let mut names: Vec<(Option<u16>, String)> = vec![(None, system.store().keys().meta())];
    for partition in system.store().all_partitions() {
        names.push((Some(partition.0), system.store().keys().base(partition)));
    }
    let (mut longest, mut refused) = (Duration::ZERO, 0);
    for (partition, name) in names {
        // So that there is something to move.
        let id = match partition {
            None => None,
            Some(partition) => loop {
                let id = system.submit(ask("plain", "moved")).await;
                if id.partition().0 == partition {
                    break Some(id);
                }
            },
        };
        let (store, runtime) = (system.store().clone(), tokio::runtime::Handle::current());
        let (took, was_refused) = on(&cluster, move |cluster| {
            let slot = cluster.slot(&name);
            let to = (cluster.owner(slot).expect("an owner") + 1) % 3;
            let (started, mut was_refused) = (Instant::now(), false);
            cluster.move_slot(slot, to, || {
                let Some(id) = id else { return };
                let (read, watched) =
                    runtime.block_on(async { (store.task(&id).await, store.watch(&id).await) });
                // What is read by one key is found on either side; scripts wait, then say that it is later.
                assert!(read.expect("it is read").is_some());
                was_refused = watched.is_err_and(|e| e.is_unavailable());
                assert!(was_refused, "a script ran with some of its keys elsewhere");
            });
            (started.elapsed(), was_refused)
        })
        .await;
        longest = longest.max(took);
        refused += usize::from(was_refused);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(refused, 12);
    let submissions = load.end().await;
    eprintln!(
        "13 slots moved, the slowest in {longest:?}; {submissions} submissions were told to come again"
    );
    let tasks = system.quiet(Duration::from_secs(60)).await;
    assert!(tasks.len() > 100, "{}", tasks.len());
    for task in &tasks {
        assert_eq!(
            (task.state, task.turns, task.recoveries),
            (TaskState::Completed, 1, 0),
            "{task:?}"
        );
    }
    finish(system).await;
}

/// The shard that is away keeps nobody waiting elsewhere, and goes on when its replica is promoted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_master_is_replaced() {
    let cluster = three_masters().await;
    let system = started(&cluster, Setup::fast()).await;
    let load = Load::start(&system, "plain");
    tokio::time::sleep(Duration::from_secs(1)).await;
    // The home of what the whole namespace shares is the worst to lose.
    let meta = system.store().keys().meta();
    let (slot, old) = on(&cluster, move |c| {
        let slot = c.slot(&meta);
        (slot, c.owner(slot).expect("an owner"))
    })
    .await;
    on(&cluster, move |c| {
        c.control(old, LocalRedis::pause).expect("it freezes")
    })
    .await;
    let at = Instant::now();
    let new = on(&cluster, move |c| c.replaced(slot, old)).await;
    assert_ne!(new, old);
    eprintln!("replaced after {:?}", at.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    on(&cluster, move |c| {
        c.control(old, LocalRedis::resume).expect("it goes on")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let id = system.submit(ask("plain", "after")).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    eprintln!("{} submissions were told to come again", load.end().await);
    // It was frozen, not killed: what it had accepted and not passed on is gone all the same.
    let lost = system.forget_lost().await;
    eprintln!(
        "{} accepted tasks lost by asynchronous replication",
        lost.len()
    );
    finish(system).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_kind_of_address_is_named() {
    let cluster = three_masters().await;
    let single = cluster.url().replace("redis-cluster", "redis");
    let single = single.split(',').next().expect("a node").to_owned();
    let options = StoreOptions::new(single, "wrong".parse().unwrap());
    let opened = Store::connect(&options).await;
    let error = opened
        .err()
        .expect("it opened a node of a cluster as a server");
    assert!(matches!(error, ConnectError::ClusterNode(_)), "{error}");
    assert!(error.to_string().contains("redis-cluster://"), "{error}");
    let redis = tokio::task::spawn_blocking(|| {
        TestRedis::private(factorial_local_redis::Listen::Tcp { port: 0 }, &[])
    });
    let redis = redis.await.unwrap();
    let url = redis.url().replace("redis://", "redis-cluster://");
    let options = StoreOptions::new(url, "wrong".parse().unwrap());
    let opened = Store::connect(&options).await;
    let error = opened.err().expect("it opened a server as a cluster");
    assert!(matches!(error, ConnectError::NoCluster(_)), "{error}");
}
