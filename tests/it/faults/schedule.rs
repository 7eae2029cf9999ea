//! Start times, and reapers: two at once, and one that comes late.

use std::time::Duration;

use factorial_core::TaskState;
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask, legs, unix_ms},
};
use serde_json::json;

use super::SOON;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scheduled_tasks_start_when_they_are_due() {
    let system = System::start(
        Setup::defaults()
            .reapers(2)
            .worker("--batch-size", "100")
            .agent(agent("plain", json!({}))),
    )
    .await;
    system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..60_u32 {
        let delay = 0.5 + f64::from(n * 37 % 60) / 20.0;
        let task = factorial_api::SubmitTask {
            delay_seconds: Some(delay),
            ..ask("plain", format!("[[sim:noop]] {n}"))
        };
        let id = system.submit(task).await;
        let record = system.task(&id).await;
        assert_eq!(record.state, TaskState::Scheduled);
        ids.push((id, record.due_ms.expect("it has a start time")));
    }
    let (mut late, mut seen) = (Vec::new(), Vec::new());
    for (id, due) in &ids {
        let task = system.end(id).await;
        assert_eq!((task.state, task.attempts), (TaskState::Completed, 1));
        late.push(legs(&system.events(id).await)[0].from_ms - due);
        seen.push(i64::try_from(system.asked(id)[0].arrival_unix_us / 1000).unwrap() - due);
    }
    late.sort_unstable();
    seen.sort_unstable();
    let at = |sorted: &[i64], percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    eprintln!(
        "due to claimed: p50 {} ms, p99 {} ms, most {} ms; due to model request: p50 {} ms, p99 {} ms",
        at(&late, 50),
        at(&late, 99),
        at(&late, 100),
        at(&seen, 50),
        at(&seen, 99)
    );
    assert!(late[0] >= 0, "never early: {late:?}");
    assert!(at(&late, 100) <= 250, "{late:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_reapers_recover_each_task_once() {
    let system = System::start(
        Setup::fast()
            .reapers(2)
            .partitions(4)
            .agent(agent("plain", json!({}))),
    )
    .await;
    let victim = system.start_worker().await;
    let mut ids = Vec::new();
    for n in 0..25 {
        ids.push(
            system
                .submit(ask("plain", format!("[[sim:latency_ms=1000]] {n}")))
                .await,
        );
    }
    for id in &ids {
        system.when_asked(id, 1).await;
    }
    victim.kill9();
    system.start_worker().await;
    for id in &ids {
        let task = system.end(id).await;
        assert_eq!(
            (task.state, task.attempts, task.recoveries),
            (TaskState::Completed, 2, 1)
        );
    }
    system.finish().await;
}

/// Everything that became due while there was no reaper is done when one comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reaper_catches_up() {
    let system = System::start(Setup::fast().reapers(0).agent(agent("plain", json!({})))).await;
    let victim = system.start_worker().await;
    let held = system
        .submit(ask("plain", "[[sim:latency_ms=60000]] held"))
        .await;
    system.when_asked(&held, 1).await;
    victim.kill9();
    let delayed = factorial_api::SubmitTask {
        delay_seconds: Some(0.3),
        ..ask("plain", "[[sim:noop]] due")
    };
    let due = system.submit(delayed).await;
    let limits = factorial_api::Limits {
        deadline_seconds: Some(1),
        ..factorial_api::Limits::default()
    };
    let limited = factorial_api::SubmitTask {
        limits: Some(limits),
        ..ask("plain", "limited")
    };
    let limited = system.submit(limited).await;
    let cancelled = system.submit(ask("plain", "cancelled")).await;
    system
        .cancel(&cancelled)
        .await
        .expect("cancel needs no reaper");
    assert_eq!(system.task(&cancelled).await.state, TaskState::Cancelled);
    let overdue = unix_ms() + 2_500;
    eventually(SOON, async || (unix_ms() > overdue).then_some(())).await;
    assert_eq!(system.task(&held).await.state, TaskState::Processing);
    assert_eq!(system.task(&due).await.state, TaskState::Scheduled);
    assert_eq!(system.task(&limited).await.state, TaskState::Queued);

    system.start_reaper().await;
    let task = system
        .when(&limited, Duration::from_secs(2), |t| t.state.is_terminal())
        .await;
    assert_eq!(
        (task.state, task.failure.map(|f| f.kind)),
        (TaskState::Failed, Some("limit_exceeded".to_owned()))
    );
    system
        .when(&due, Duration::from_secs(2), |t| {
            t.state == TaskState::Queued
        })
        .await;
    system
        .when(&held, Duration::from_secs(2), |t| {
            t.state == TaskState::Queued
        })
        .await;
    system.cancel(&held).await.expect("it is queued");
    system.start_worker().await;
    assert_eq!(system.end(&due).await.state, TaskState::Completed);
    system.finish().await;
}
