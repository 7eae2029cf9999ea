//! Metrics of real processes: what each counts after a known history.

use std::time::Duration;

use factorial_api::SteerMode;
use factorial_core::TaskState;
use factorial_tests::{
    eventually,
    system::{Process, Setup, System, ToolServer, agent, ask},
};
use serde_json::json;

use super::SOON;

const AGENT: &[&str] = &[r#"agent="clerk""#];

async fn is(process: &Process, name: &str, labels: &[&str], expected: f64) {
    let value = process.metric(name, labels).await;
    assert_eq!(
        value,
        Some(expected),
        "{name} {labels:?} of {}",
        process.name()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_is_counted() {
    let tools = ToolServer::start(async |_| {
        tokio::time::sleep(Duration::from_millis(30)).await;
        "done".to_owned()
    })
    .await;
    let clerk = agent(
        "clerk",
        json!({
            "tools": [tools.tool("note")],
            "prices": { "sim-model": { "input": 1.0, "output": 2.0 } },
        }),
    );
    let setup = Setup::fast()
        .reaper("--maintenance-interval", "0.5")
        .agent(clerk);
    let system = System::start(setup).await;
    let gateway = system.running().remove(0);
    let reaper = system.running().remove(1);
    // Queued, steered, old enough to be seen, then run with a tool.
    let first = system.submit(ask("clerk", "[[sim:turns=1]] go")).await;
    system
        .steer(&first, "and this", SteerMode::NextTurn)
        .await
        .unwrap();
    eventually(SOON, async || {
        let age = reaper
            .metric("factorial_oldest_queued_age_seconds", AGENT)
            .await;
        age.filter(|age| *age > 0.1)
    })
    .await;
    is(
        &reaper,
        "factorial_tasks",
        &[r#"agent="clerk""#, r#"state="queued""#],
        1.0,
    )
    .await;
    let worker = system.start_worker().await;
    assert_eq!(system.end(&first).await.state, TaskState::Completed);
    for (name, labels, expected) in [
        ("factorial_worker_claimed_total", AGENT, 1.0),
        ("factorial_queue_wait_seconds_count", AGENT, 1.0),
        ("factorial_worker_turn_duration_seconds_count", AGENT, 2.0),
        (
            "factorial_worker_tool_call_duration_seconds_count",
            &[r#"tool="note""#],
            1.0,
        ),
        (
            "factorial_worker_model_calls_total",
            &[r#"provider="openai""#, r#"model="sim-model""#],
            2.0,
        ),
        (
            "factorial_model_requests_total",
            &[r#"provider="openai""#, r#"outcome="answered""#],
            2.0,
        ),
        ("factorial_task_steering_wait_seconds_count", &[], 1.0),
        (
            "factorial_tasks_finished_total",
            &[r#"outcome="completed""#],
            1.0,
        ),
    ] {
        is(&worker, name, labels, expected).await;
    }
    is(&gateway, "factorial_tasks_enqueued_total", AGENT, 1.0).await;
    let waited = worker
        .metric("factorial_queue_wait_seconds_sum", AGENT)
        .await
        .unwrap();
    assert!((0.1..20.0).contains(&waited), "{waited}");
    let steered = worker
        .metric("factorial_task_steering_wait_seconds_sum", &[])
        .await
        .unwrap();
    assert!(steered > 0.1 && steered <= waited + 5.0, "{steered}");
    let cost = worker
        .metric("factorial_worker_cost_usd_total", AGENT)
        .await
        .unwrap();
    let spent = system.task(&first).await.cost_micros;
    assert!(
        spent > 0 && (cost - spent as f64 / 1e6).abs() < 1e-9,
        "{cost} {spent}"
    );

    // Tried as often as may be.
    let failing = r#"[[sim:behaviour={"fault":{"status":{"status":500}}}]] go"#;
    let second = system.submit(ask("clerk", failing)).await;
    let second = system.end(&second).await;
    assert_eq!(second.state, TaskState::Failed);
    let retries = f64::from(second.retries);
    assert!(retries > 0.0);
    for (name, label, expected) in [
        (
            "factorial_tasks_requeued_total",
            r#"cause="backoff""#,
            retries,
        ),
        (
            "factorial_model_requests_total",
            r#"outcome="server_error""#,
            retries + 1.0,
        ),
        ("factorial_tasks_finished_total", r#"outcome="failed""#, 1.0),
    ] {
        is(&worker, name, &[label], expected).await;
    }

    // Cancelled while the model is asked.
    let third = system
        .submit(ask("clerk", "[[sim:latency_ms=60000]] go"))
        .await;
    system.when_asked(&third, 1).await;
    system.cancel(&third).await.unwrap();
    eventually(SOON, async || {
        worker
            .metric("factorial_worker_cancel_latency_seconds_count", AGENT)
            .await
    })
    .await;
    is(
        &gateway,
        "factorial_tasks_finished_total",
        &[r#"outcome="cancelled""#],
        1.0,
    )
    .await;
    is(
        &worker,
        "factorial_model_requests_total",
        &[r#"outcome="aborted""#],
        1.0,
    )
    .await;

    // Its worker dies.
    let fourth = system
        .submit(ask("clerk", "[[sim:latency_ms=1000]] go"))
        .await;
    system.when_asked(&fourth, 1).await;
    worker.kill9();
    system.start_worker().await;
    assert_eq!(system.end(&fourth).await.recoveries, 1);
    is(
        &reaper,
        "factorial_tasks_requeued_total",
        &[r#"cause="lease_expired""#],
        1.0,
    )
    .await;
    is(
        &reaper,
        "factorial_task_recovery_delay_seconds_count",
        &[],
        1.0,
    )
    .await;
    let late = reaper
        .metric("factorial_task_recovery_delay_seconds_sum", &[])
        .await
        .unwrap();
    assert!(late < 5.0, "{late}");
    system.finish().await;
}
