//! The main one: thousands of tasks on three masters, of which one is killed and replaced, and slots that are moved.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_core::{TaskId, TaskState};
use factorial_local_redis::LocalRedis;
use factorial_sim::Behaviour;
use factorial_tests::{
    TestCluster, eventually,
    system::{Setup, System, agent, ask, function_tool},
};
use serde_json::json;

use super::{accepted, on, three_masters};

/// Tasks; as many as `FACTORIAL_DRILL_TASKS` says, if it says.
const TASKS: usize = 3_000;
/// Tasks that the killed master accepts and its replica does not get.
const LATE: usize = 10;
/// How many are submitted at once.
const LANES: usize = 16;

fn tasks() -> usize {
    let asked = std::env::var("FACTORIAL_DRILL_TASKS").ok();
    asked.map_or(TASKS, |text| text.parse().expect("a number of tasks"))
}

/// How many accepted tasks have ended or are gone, as far as the servers answer.
async fn settled(system: &System) -> usize {
    let mut settled = 0;
    for ids in system.accepted().chunks(1_000) {
        let records = system.store().tasks(ids).await.unwrap_or_default();
        let is_over = |t: &Option<factorial_core::TaskRecord>| {
            t.as_ref().is_none_or(|t| t.state.is_terminal())
        };
        settled += records.iter().filter(|t| is_over(t)).count();
    }
    settled
}

async fn until_settled(system: &System, wanted: usize, within: Duration) {
    let started = Instant::now();
    loop {
        let settled = settled(system).await;
        if settled >= wanted {
            return;
        }
        assert!(
            started.elapsed() < within,
            "too slow: {settled} of {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Kills the master of a slot, waits for another, and starts it again as that one's replica. How long nobody had the slot.
fn replace(cluster: &TestCluster, slot: u16) -> (usize, Duration) {
    let old = cluster.owner(slot).expect("an owner");
    cluster.control(old, LocalRedis::kill);
    let started = Instant::now();
    let _new = cluster.replaced(slot, old);
    let took = started.elapsed();
    cluster
        .control(old, LocalRedis::restart)
        .expect("it starts");
    (old, took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_survive_a_killed_master_and_moving_slots() {
    let tasks = tasks();
    let cluster = three_masters().await;
    let setup = Setup::defaults()
        .on(Arc::clone(&cluster) as Arc<_>)
        .worker("--batch-size", "100")
        .model(Behaviour::latency(Duration::from_millis(100)))
        .agent(agent("plain", json!({})))
        .agent(agent(
            "clock",
            json!({ "tools": [function_tool("current_time")] }),
        ));
    let system = Arc::new(System::start(setup).await);
    system.start_worker().await;
    system.start_worker().await;
    let started = Instant::now();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let system = Arc::clone(&system);
            tokio::spawn(async move {
                let mut refused = 0;
                for n in (lane..tasks).step_by(LANES) {
                    let agent = if n.is_multiple_of(4) {
                        "clock"
                    } else {
                        "plain"
                    };
                    let task = factorial_api::SubmitTask {
                        owner_id: format!("owner-{}", n % 7),
                        ..ask(agent, format!("[[sim:tokens=10]] {n}"))
                    };
                    refused += accepted(&system, &task, &format!("task-{n}")).await;
                }
                refused
            })
        })
        .collect();

    until_settled(&system, tasks / 5, Duration::from_secs(900)).await;
    let base = system.store().keys().base(factorial_core::Partition(0));
    let slot = on(&cluster, move |c| c.slot(&base)).await;
    let replicated = system.accepted();
    // As with a replica that lags: some is accepted that it does not get.
    on(&cluster, move |c| {
        c.cut_off_replica_of(c.owner(slot).expect("an owner"));
    })
    .await;
    // What the replica got just before may still be on its way to the submitter.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let early = system.accepted();
    let late = |system: &System| -> Vec<TaskId> {
        let mut ids = system.accepted();
        ids.retain(|id| id.partition().0 < 4 && !early.contains(id));
        ids
    };
    eventually(Duration::from_secs(60), async || {
        (late(&system).len() >= LATE).then_some(())
    })
    .await;
    let late = late(&system);
    let (killed, took) = on(&cluster, move |c| replace(c, slot)).await;
    eprintln!(
        "{:>5.1} s: master {killed} killed, and a replica without its last {} tasks or more in its place after {took:?}",
        started.elapsed().as_secs_f64(),
        late.len(),
    );
    let before = system.accepted();

    until_settled(&system, tasks / 2, Duration::from_secs(900)).await;
    for partition in [1, 5, 9] {
        let base = system
            .store()
            .keys()
            .base(factorial_core::Partition(partition));
        let moved = on(&cluster, move |cluster| {
            let slot = cluster.slot(&base);
            let from = cluster.owner(slot).expect("an owner");
            let other =
                |v: &&factorial_tests::NodeView| v.master && v.node != from && !v.slots.is_empty();
            let to = cluster
                .view()
                .iter()
                .find(other)
                .expect("another master")
                .node;
            let moving = Instant::now();
            cluster.move_slot(slot, to, || {});
            format!(
                "slot {slot} moved from {from} to {to} in {:?}",
                moving.elapsed()
            )
        })
        .await;
        eprintln!("{:>5.1} s: {moved}", started.elapsed().as_secs_f64());
    }
    let mut refused = 0;
    for lane in lanes {
        refused += lane.await.expect("all are accepted");
    }
    eprintln!(
        "{:>5.1} s: all accepted, {refused} submissions were told to come again",
        started.elapsed().as_secs_f64()
    );
    until_settled(&system, tasks, Duration::from_secs(900)).await;
    let took = started.elapsed();

    let all = system.accepted().len();
    let lost = system.forget_lost().await;
    let recovered: u32 = {
        let records = system.quiet(Duration::from_secs(60)).await;
        for record in &records {
            assert_eq!(record.state, TaskState::Completed, "{record:?}");
        }
        records.iter().map(|r| r.recoveries).sum()
    };
    eprintln!(
        "{all} tasks accepted, {} ended in {took:?}; {recovered} recovered; asynchronous replication lost {} that were accepted",
        all - lost.len(),
        lost.len()
    );
    assert_eq!(all, tasks);
    for id in &lost {
        assert!(
            before.contains(id),
            "{id} was accepted after the master was replaced"
        );
        assert!(id.partition().0 < 4, "{id} was on another master");
        assert!(!replicated.contains(id), "{id} was on the replica");
    }
    for id in &late {
        assert!(lost.contains(id), "{id} cannot have been on the replica");
    }
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}
