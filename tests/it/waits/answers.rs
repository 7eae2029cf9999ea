//! Calls that are answered from outside.

use std::time::{Duration, Instant};

use factorial_api::{
    CallerTool, ErrorCode, SubmitTask, ToolCallError, ToolCallResult, ToolCallStatus,
};
use factorial_core::{TaskId, TaskState};
use factorial_tests::system::{Setup, System, agent, ask};
use serde_json::{Value, json};

use super::{SOON, all_ended, args, count, deferred, fan_out, open_waits, parked, results};

fn result(value: Value) -> ToolCallResult {
    ToolCallResult {
        result: value,
        by: Some("the test".to_owned()),
        owner_id: None,
    }
}

async fn system(tools: Value) -> System {
    let setup = Setup::fast()
        .agent(agent("clerk", json!({ "tools": tools })))
        .agent(agent("helper", json!({})));
    let system = System::start(setup).await;
    system.start_worker().await;
    system
}

/// The calls of a task that wait.
async fn open_calls(system: &System, id: &TaskId) -> Vec<String> {
    parked(system, id).await;
    let open = Some(ToolCallStatus::Open);
    let calls = system
        .client()
        .tool_calls(id.as_str(), open, None, None, None)
        .await;
    calls
        .expect("calls")
        .data
        .into_iter()
        .map(|c| c.call_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_wakes_the_task_and_a_second_one_does_not() {
    let system = system(json!([deferred("lookup", "operator")])).await;
    let id = system.submit(ask("clerk", "lookup")).await;
    let calls = open_calls(&system, &id).await;
    let (client, call) = (system.client(), calls[0].as_str());
    let first = client
        .answer_tool_call(id.as_str(), call, &result(json!({ "found": 7 })))
        .await
        .unwrap();
    assert!(!first.replayed);
    let record = system.end(&id).await;
    assert_eq!((record.state, record.attempts), (TaskState::Completed, 2));
    assert_eq!(
        results(&system, &id).await,
        [("lookup".to_owned(), r#"{"found":7}"#.to_owned(), false)]
    );
    let again = client
        .answer_tool_call(id.as_str(), call, &result(json!({ "found": 7 })))
        .await
        .unwrap();
    assert!(again.replayed);
    let other = client
        .answer_tool_call(id.as_str(), call, &result(json!("other")))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Some(ErrorCode::ToolCallAnswered));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_answers_the_tools_that_it_has_brought() {
    let system = system(json!([])).await;
    let tool = CallerTool {
        name: "get_basket".to_owned(),
        description: "The basket of the user.".to_owned(),
        parameters: json!({ "type": "object" }),
        timeout_seconds: Some(60.0),
    };
    let task = SubmitTask {
        tools: vec![tool],
        ..ask("clerk", "get_basket")
    };
    let id = system.submit(task).await;
    let calls = open_calls(&system, &id).await;
    let error = ToolCallError {
        message: "the basket is gone".to_owned(),
        by: None,
        owner_id: None,
    };
    system
        .client()
        .fail_tool_call(id.as_str(), &calls[0], &error)
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let results = results(&system, &id).await;
    assert!(
        results[0].2 && results[0].1.contains("the basket is gone"),
        "{results:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_one_turn_waits_for_has_to_be_there() {
    let tools = json!([
        deferred("lookup", "operator"),
        fan_out("research", "helper"),
        { "kind": "function", "name": "current_time" },
        { "kind": "function", "name": "calculator", "approval": "always" },
    ]);
    let system = system(tools).await;
    let given = json!({ "research": { "topics": ["[[sim:reply=a]]", "[[sim:reply=b]]"] }, "calculator": { "expression": "6*7" } });
    let query = args(&given) + " lookup research current_time calculator";
    let id = system.submit(ask("clerk", query)).await;
    let done = || async {
        let waits = open_waits(&system, &id).await;
        (waits.len() == 2).then_some(waits)
    };
    factorial_tests::eventually(SOON, done).await;
    let record = parked(&system, &id).await;
    assert_eq!(
        (record.state, record.awaited),
        (TaskState::PendingToolResults, 2)
    );
    let approvals = system
        .client()
        .approvals(&factorial_client::AskedFilter::default(), None, None)
        .await
        .unwrap();
    assert_eq!(
        (approvals.data.len(), approvals.data[0].tool.as_str()),
        (1, "calculator")
    );
    let call = &approvals.data[0].call_id;
    system
        .client()
        .approve(id.as_str(), call, &factorial_api::ApproveRequest::default())
        .await
        .unwrap();
    assert_eq!(parked(&system, &id).await.awaited, 1);
    let lookup = open_calls(&system, &id).await;
    system
        .client()
        .answer_tool_call(id.as_str(), &lookup[0], &result(json!("here")))
        .await
        .unwrap();
    let record = system.end(&id).await;
    assert_eq!(
        (record.state, record.turns, record.attempts),
        (TaskState::Completed, 2, 2)
    );
    let mut results = results(&system, &id).await;
    results.sort_unstable();
    let tools: Vec<&str> = results.iter().map(|r| r.0.as_str()).collect();
    assert_eq!(tools, ["calculator", "current_time", "lookup", "research"]);
    assert!(results[0].1.contains("42"), "{results:?}");
    assert!(results.iter().all(|r| !r.2), "{results:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_nobody_answers_times_out() {
    let mut tool = deferred("lookup", "operator");
    tool["timeout_seconds"] = json!(0.7);
    let system = system(json!([tool])).await;
    let id = system.submit(ask("clerk", "lookup")).await;
    let calls = open_calls(&system, &id).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let results = results(&system, &id).await;
    assert!(
        results[0].2 && results[0].1.contains("timeout"),
        "{results:?}"
    );
    let late = system
        .client()
        .answer_tool_call(id.as_str(), &calls[0], &result(json!(1)))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::ToolCallClosed));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_reach_the_model_at_once() {
    let system = system(json!([deferred("lookup", "operator")])).await;
    let mut times = Vec::new();
    for n in 0..100 {
        let id = system.submit(ask("clerk", format!("lookup {n}"))).await;
        let calls = open_calls(&system, &id).await;
        let began = Instant::now();
        system
            .client()
            .answer_tool_call(id.as_str(), &calls[0], &result(json!(n)))
            .await
            .unwrap();
        let ended = system.end(&id).await;
        assert_eq!(ended.state, TaskState::Completed);
        let events = system.events(&id).await;
        let at = |event: &str| {
            events
                .iter()
                .find(|e| e.event_type == event)
                .map(|e| e.at_ms)
        };
        let (Some(answered), Some(resumed)) = (at("tool_call_answered"), at("run_resumed")) else {
            panic!("{events:?}")
        };
        assert_eq!(count(&events, "run_unparked"), 1);
        times.push(resumed - answered);
        assert!(began.elapsed() < SOON);
    }
    times.sort_unstable();
    eprintln!(
        "answered to claimed again: p50 {} ms, p99 {} ms",
        times[50], times[98]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_task_closes_its_calls() {
    let system = system(json!([deferred("lookup", "operator")])).await;
    let id = system.submit(ask("clerk", "lookup")).await;
    let calls = open_calls(&system, &id).await;
    system.cancel(&id).await.unwrap();
    let late = system
        .client()
        .answer_tool_call(id.as_str(), &calls[0], &result(json!(1)))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::ToolCallClosed));
    // Run again, it tells the model that the call is closed, and goes on.
    system.retry(&id).await.unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let results = results(&system, &id).await;
    assert!(
        results[0].2 && results[0].1.contains("closed"),
        "{results:?}"
    );
    all_ended(&system, Duration::from_secs(5)).await;
    system.finish().await;
}
