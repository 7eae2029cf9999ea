//! Steering tasks that wait.

use factorial_api::{ErrorCode, SteerMode, ToolCallResult};
use factorial_core::{Entry, TaskState, WaitKey};
use factorial_tests::system::{Setup, System, agent, ask};
use serde_json::json;

use super::{SOON, args, count, deferred, fan_out, open_waits, parked, results};

async fn system() -> System {
    let tools = json!([
        deferred("lookup", "operator"),
        fan_out("research", "helper")
    ]);
    let setup = Setup::fast()
        .agent(agent("clerk", json!({ "tools": tools })))
        .agent(agent("helper", json!({})));
    let system = System::start(setup).await;
    system.start_worker().await;
    system
}

fn answer(n: u32) -> ToolCallResult {
    ToolCallResult {
        result: json!(n),
        by: None,
        owner_id: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_leaves_it_waiting_and_comes_after_the_answer() {
    let system = system().await;
    let id = system.submit(ask("clerk", "lookup")).await;
    let waits = open_waits(&system, &id).await;
    let WaitKey::Call(call) = &waits[0].key else {
        panic!("{waits:?}")
    };
    system
        .steer(&id, "[[sim:reply=steered]] be quick", SteerMode::NextTurn)
        .await
        .unwrap();
    assert_eq!(system.task(&id).await.state, TaskState::PendingToolResults);
    system
        .client()
        .answer_tool_call(id.as_str(), call, &answer(1))
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let entries = system.entries(&id).await;
    let place = |is: fn(&Entry) -> bool| entries.iter().position(is).unwrap();
    let result = place(|e| matches!(e, Entry::Tool { .. }));
    assert_eq!(place(|e| matches!(e, Entry::Steer { .. })), result + 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_wakes_it_and_what_it_waited_for_is_given_up() {
    let system = system().await;
    let query = args(&json!({ "research": { "topics": vec!["[[sim:latency_ms=60000]]"; 3] } }))
        + " lookup research";
    let id = system.submit(ask("clerk", query)).await;
    let waits = open_waits(&system, &id).await;
    assert_eq!(waits.len(), 4);
    let call = waits.iter().find_map(|w| match &w.key {
        WaitKey::Call(call) => Some(call.clone()),
        _ => None,
    });
    system
        .steer(
            &id,
            "[[sim:reply=never mind]] stop that",
            SteerMode::Interrupt,
        )
        .await
        .unwrap();
    let record = system.end(&id).await;
    assert_eq!((record.state, record.turns), (TaskState::Completed, 2));
    assert_eq!(
        system.store().output(&id).await.unwrap(),
        Some(json!("never mind"))
    );
    let results = results(&system, &id).await;
    assert_eq!(results.len(), 2);
    assert!(
        results.iter().all(|r| r.1.contains("interrupted")),
        "{results:?}"
    );
    for child in system.descendants(std::slice::from_ref(&id)).await {
        let child = system
            .when(&child.id, SOON, |t| t.state.is_terminal())
            .await;
        assert_eq!(child.state, TaskState::Cancelled);
    }
    let late = system
        .client()
        .answer_tool_call(id.as_str(), &call.unwrap(), &answer(1))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::ToolCallClosed));
    let events = system.events(&id).await;
    assert_eq!(
        (count(&events, "run_parked"), count(&events, "run_unparked")),
        (1, 1)
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_that_comes_before_it_parks_keeps_it_from_parking() {
    let tools = json!([deferred("lookup", "operator")]);
    let system =
        System::start(Setup::fast().agent(agent("clerk", json!({ "tools": tools })))).await;
    // Nobody runs it yet: the message is there before the first turn, its interrupt for whatever is open then.
    let id = system.submit(ask("clerk", "lookup")).await;
    system
        .steer(&id, "and hurry", SteerMode::Interrupt)
        .await
        .unwrap();
    system.start_worker().await;
    // The message was taken at the first boundary, so that the call is waited for.
    parked(&system, &id).await;
    let waits = open_waits(&system, &id).await;
    let WaitKey::Call(call) = &waits[0].key else {
        panic!("{waits:?}")
    };
    system
        .client()
        .answer_tool_call(id.as_str(), call, &answer(2))
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    system.finish().await;
}
