//! 100 parents with 100 children each, while workers are killed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_core::TaskState;
use factorial_sim::Behaviour;
use factorial_tests::system::{Setup, System, agent, ask};
use serde_json::{Value, json};

use super::{args, count, fan_out, results};

const PARENTS: usize = 100;
const CHILDREN: usize = 100;
const KILL_EVERY: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_parents_of_a_hundred_children_survive_killed_workers() {
    let setup = Setup::fast()
        .partitions(2)
        .model(Behaviour::latency(Duration::from_millis(20)))
        .agent(agent(
            "boss",
            json!({ "tools": [fan_out("research", "helper")] }),
        ))
        .agent(agent("helper", json!({})))
        .worker("--batch-size", "50");
    let system = Arc::new(System::start(setup).await);
    let mut workers = [system.start_worker().await, system.start_worker().await];
    let topics: Vec<String> = (0..CHILDREN)
        .map(|n| format!("[[sim:reply={n}]]"))
        .collect();
    let query = args(&json!({ "research": { "topics": topics } }));
    let began = Instant::now();
    let mut parents = Vec::new();
    for n in 0..PARENTS {
        parents.push(system.submit(ask("boss", format!("{query} {n}"))).await);
    }
    let mut kills = 0;
    loop {
        let round = Instant::now();
        let done = loop {
            let records = system.store().tasks(&parents).await.unwrap();
            let done = records
                .iter()
                .flatten()
                .filter(|t| t.state.is_terminal())
                .count();
            if done == PARENTS || round.elapsed() >= KILL_EVERY {
                break done;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        if done == PARENTS {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(150),
            "too slow: {done} ended"
        );
        workers[kills % 2].kill9();
        workers[kills % 2] = system.launch_worker();
        kills += 1;
    }
    let took = began.elapsed();
    assert!(kills >= 2, "{kills} kills");

    let mut recovered = 0;
    for id in &parents {
        let record = system.task(id).await;
        assert_eq!(
            (record.state, record.turns, record.tree.tasks),
            (TaskState::Completed, 2, CHILDREN as u64),
            "{record:?}"
        );
        let events = system.events(id).await;
        assert_eq!(count(&events, "run_unparked"), 1, "resumed once: {id}");
        assert_eq!(count(&events, "child_spawned"), CHILDREN);
        assert_eq!(count(&events, "child_ended"), CHILDREN);
        let results = results(&system, id).await;
        let items: Vec<Value> = serde_json::from_str(&results[0].1).unwrap();
        for (n, item) in items.iter().enumerate() {
            assert_eq!(item["output"], json!(n.to_string()), "{id}");
        }
        recovered += record.recoveries;
    }
    let below = system.descendants(&parents).await;
    assert_eq!(below.len(), PARENTS * CHILDREN);
    recovered += below.iter().map(|t| t.recoveries).sum::<u32>();
    eprintln!(
        "{PARENTS} parents with {CHILDREN} children each in {took:?}, {kills} kills, {recovered} recoveries"
    );
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}
