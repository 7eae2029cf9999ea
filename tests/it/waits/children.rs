//! Sub-agents: results, order, slots, cancellation.

use factorial_core::TaskState;
use factorial_tests::system::{Setup, System, agent, ask};
use serde_json::{Value, json};

use super::{SOON, all_ended, args, count, fan_out, parked, results};

fn boss() -> Value {
    agent("boss", json!({ "tools": [fan_out("research", "helper")] }))
}

fn helper() -> Value {
    agent("helper", json!({}))
}

async fn system() -> System {
    let system = System::start(Setup::fast().agent(boss()).agent(helper())).await;
    system.start_worker().await;
    system
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_come_in_the_order_of_the_items_with_failures_marked() {
    let system = system().await;
    let refused = r#"[[sim:behaviour={"fault":{"status":{"status":400}}}]]"#;
    let topics = json!([
        "[[sim:latency_ms=800]][[sim:reply=slow]]",
        "[[sim:reply=quick]]",
        refused,
        "[[sim:reply=last]]"
    ]);
    let query = args(&json!({ "research": { "topics": topics } })) + " go";
    let id = system.submit(ask("boss", query)).await;
    let record = system.end(&id).await;
    assert_eq!(
        (record.state, record.turns, record.attempts),
        (TaskState::Completed, 2, 2)
    );
    let results = results(&system, &id).await;
    let [(tool, text, is_error)] = &results[..] else {
        panic!("{results:?}")
    };
    assert_eq!((tool.as_str(), *is_error), ("research", false));
    let items: Vec<Value> = serde_json::from_str(text).unwrap();
    let outputs: Vec<_> = items.iter().map(|i| i["output"].as_str()).collect();
    assert_eq!(outputs, [Some("slow"), Some("quick"), None, Some("last")]);
    assert_eq!(items[2]["status"], "failed");
    assert_eq!(items[2]["failure"]["kind"], "bad_request");
    let events = system.events(&id).await;
    for (event, times) in [
        ("child_spawned", 4),
        ("child_ended", 4),
        ("run_parked", 1),
        ("run_unparked", 1),
    ] {
        assert_eq!(count(&events, event), times, "{event}");
    }
    let below = system.descendants(std::slice::from_ref(&id)).await;
    assert!(
        below
            .iter()
            .all(|c| c.parent.as_ref() == Some(&id) && c.depth == 1 && c.owner == record.owner)
    );
    let spent = below.iter().map(|c| c.total_usage().output).sum::<u64>();
    assert_eq!((record.tree.tasks, record.tree.usage.output), (4, spent));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_in_the_only_slot_waits_for_a_child_of_the_same_agent() {
    let tool =
        json!({ "kind": "agent", "agent": "solo", "description": "Is tested.", "name": "again" });
    let setup = Setup::fast()
        .agent(agent("solo", json!({ "tools": [tool] })))
        .worker("--batch-size", "1");
    let system = System::start(setup).await;
    system.start_worker().await;
    let query = args(&json!({ "again": { "query": "[[sim:reply=inner]]" } }));
    let id = system.submit(ask("solo", query + " go")).await;
    let record = system.end(&id).await;
    assert_eq!(record.state, TaskState::Completed);
    assert_eq!(
        results(&system, &id).await,
        [("again".to_owned(), "inner".to_owned(), false)]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_is_not_awaited_goes_on_by_itself() {
    let tool = json!({ "kind": "agent", "agent": "helper", "description": "Is tested.", "name": "start", "await": false });
    let boss = agent("boss", json!({ "tools": [tool] }));
    let system = System::start(Setup::fast().agent(boss).agent(helper())).await;
    system.start_worker().await;
    let query = args(&json!({ "start": { "query": "[[sim:latency_ms=1500]][[sim:reply=late]]" } }));
    let id = system.submit(ask("boss", query + " go")).await;
    let record = system.end(&id).await;
    assert_eq!((record.state, record.attempts), (TaskState::Completed, 1));
    let child = system
        .descendants(std::slice::from_ref(&id))
        .await
        .remove(0);
    assert!(!child.state.is_terminal(), "{child:?}");
    assert!(results(&system, &id).await[0].1.contains(child.id.as_str()));
    assert_eq!(system.end(&child.id).await.state, TaskState::Completed);
    // It is counted when it ends, although its parent has ended before.
    assert_eq!(system.task(&id).await.tree.tasks, 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_a_parent_cancels_every_descendant_in_any_state() {
    let boss = agent("boss", json!({ "tools": [fan_out("research", "middle")] }));
    let middle = agent("middle", json!({ "tools": [fan_out("dig", "helper")] }));
    let setup = Setup::fast().agent(boss).agent(middle).agent(helper());
    let system = System::start(setup).await;
    system.start_worker().await;
    // Some run, some have ended, some wait for a slot, some are parked.
    let leaf = |n: usize| {
        if n.is_multiple_of(3) {
            "[[sim:noop]]".to_owned()
        } else {
            "[[sim:latency_ms=60000]]".to_owned()
        }
    };
    let leaves: Vec<String> = (0..20).map(leaf).collect();
    let inner = args(&json!({ "dig": { "topics": leaves } }));
    let topics: Vec<String> = (0..20).map(|n| format!("{inner} {n}")).collect();
    let id = system
        .submit(ask(
            "boss",
            args(&json!({ "research": { "topics": topics } })) + " go",
        ))
        .await;
    parked(&system, &id).await;
    let spawned = || async {
        let below = system.descendants(std::slice::from_ref(&id)).await;
        (below.len() == 420 && below.iter().any(|t| t.state.is_terminal())).then_some(())
    };
    factorial_tests::eventually(SOON, spawned).await;
    let began = std::time::Instant::now();
    system.cancel(&id).await.unwrap();
    eprintln!("420 descendants cancelled in {:?}", began.elapsed());
    let below = system.descendants(std::slice::from_ref(&id)).await;
    assert!(below.iter().all(|t| t.state.is_terminal()), "none survives");
    all_ended(&system, SOON).await;
    system.finish().await;
}
