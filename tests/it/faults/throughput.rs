//! The main one: 2,000 tasks while workers are killed and Redis is restarted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_api::SubmitTask;
use factorial_core::TaskState;
use factorial_local_redis::{Listen, LocalRedis};
use factorial_sim::Behaviour;
use factorial_tests::{
    TestRedis,
    system::{Process, Setup, System, agent, ask, function_tool, legs, unix_ms},
};
use serde_json::json;

use super::obliging_tools;

const TASKS: usize = 2_000;
const KILL_EVERY: Duration = Duration::from_secs(5);

fn task(n: usize) -> SubmitTask {
    let agent = if n.is_multiple_of(2) {
        "clerk"
    } else {
        "clock"
    };
    SubmitTask {
        owner_id: format!("owner-{}", n % 7),
        priority: Some(u8::try_from(n % 10).unwrap()),
        delay_seconds: n
            .is_multiple_of(20)
            .then_some(f64::from(u32::try_from(n % 300).unwrap()) / 10.0),
        stream: n.is_multiple_of(25),
        ..ask(agent, format!("[[sim:tokens=10]] {n}"))
    }
}

async fn submit_all(system: &Arc<System>) {
    let submitters: Vec<_> = (0..8)
        .map(|lane| {
            let system = Arc::clone(system);
            tokio::spawn(async move {
                for n in (lane..TASKS).step_by(8) {
                    system.submit(task(n)).await;
                }
            })
        })
        .collect();
    for submitter in submitters {
        submitter.await.expect("all are accepted");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_tasks_survive_killed_workers_and_a_restarted_redis() {
    let tools = obliging_tools().await;
    let redis = tokio::task::spawn_blocking(|| TestRedis::private(Listen::Unix, &[]))
        .await
        .unwrap();
    let setup = Setup::defaults()
        .redis(redis)
        .partitions(2)
        .model(Behaviour::latency(Duration::from_millis(500)))
        .agent(agent("clerk", json!({ "tools": [tools.tool("note")] })))
        .agent(agent(
            "clock",
            json!({ "tools": [function_tool("current_time")] }),
        ));
    let system = Arc::new(System::start(setup).await);
    let mut workers = [system.start_worker().await, system.start_worker().await];
    let started = Instant::now();
    submit_all(&system).await;
    eprintln!("{TASKS} tasks accepted in {:?}", started.elapsed());

    let mut kills: Vec<(i64, Arc<Process>)> = Vec::new();
    let mut restarted = false;
    loop {
        let round = Instant::now();
        while round.elapsed() < KILL_EVERY {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let ids = system.accepted();
        let done = system.store().tasks(&ids).await.unwrap_or_default();
        let done = done
            .iter()
            .flatten()
            .filter(|t| t.state.is_terminal())
            .count();
        eprintln!("{:>5.1} s: {done} ended", started.elapsed().as_secs_f64());
        if done == TASKS {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(150),
            "too slow: {done} ended"
        );
        let victim = kills.len() % 2;
        kills.push((unix_ms(), Arc::clone(&workers[victim])));
        workers[victim].kill9();
        workers[victim] = system.launch_worker();
        if !restarted && done > TASKS / 3 {
            restarted = true;
            let redis = Arc::clone(system.redis());
            let down = Instant::now();
            tokio::task::spawn_blocking(move || redis.control(LocalRedis::restart))
                .await
                .unwrap()
                .expect("it restarts");
            eprintln!(
                "{:>5.1} s: redis restarted, down for {:?}",
                started.elapsed().as_secs_f64(),
                down.elapsed()
            );
        }
    }
    let took = started.elapsed();
    assert!(restarted && kills.len() >= 4, "{} kills", kills.len());

    let mut resumed = Vec::new();
    for record in system.quiet(Duration::from_secs(10)).await {
        assert_eq!(
            (record.state, record.turns, record.retries),
            (TaskState::Completed, 2, 0),
            "{record:?}"
        );
        // A recovery repeats at most the one model call whose reply was not committed.
        let asked = u32::try_from(system.asked(&record.id).len()).unwrap();
        assert!(
            asked <= 2 + record.recoveries,
            "{asked} model calls: {record:?}"
        );
        let events = system.events(&record.id).await;
        assert_eq!(events.iter().filter(|e| e.is_terminal()).count(), 1);
        let legs = legs(&events);
        for (leg, next) in legs.iter().zip(legs.iter().skip(1)) {
            if let Some((killed, _)) = kills.iter().find(|(_, p)| p.pid() == leg.pid) {
                resumed.push(next.from_ms - killed);
            }
        }
    }
    let mut keys: Vec<String> = tools.calls().into_iter().map(|c| c.key).collect();
    let calls = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(
        keys.len(),
        TASKS / 2,
        "one call for each task that has this tool"
    );
    resumed.sort_unstable();
    let at = |percent: usize| resumed[(resumed.len() - 1) * percent / 100];
    eprintln!(
        "{TASKS} tasks in {took:?}, {} kills, redis restarted once; {} tasks resumed, kill to resume: p50 {} ms, p99 {} ms, \
         most {} ms; {} of {calls} tool calls repeated under their key",
        kills.len(),
        resumed.len(),
        at(50),
        at(99),
        at(100),
        calls - keys.len()
    );
    assert!(at(100) <= 15_000, "{resumed:?}");
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}
