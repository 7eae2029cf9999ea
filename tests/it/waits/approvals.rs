//! Calls that need a yes.

use factorial_api::{ApproveRequest, DenyRequest, ErrorCode};
use factorial_client::AskedFilter;
use factorial_core::{TaskId, TaskState};
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::{Value, json};

use super::{SOON, args, count, parked, results};

fn calculator(approval: &Value) -> Value {
    json!([{ "kind": "function", "name": "calculator", "approval": approval }])
}

async fn system(approval: &Value) -> System {
    let setup = Setup::fast().agent(agent("clerk", json!({ "tools": calculator(approval) })));
    let system = System::start(setup).await;
    system.start_worker().await;
    system
}

fn query(expression: &str) -> String {
    args(&json!({ "calculator": { "expression": expression } })) + " go"
}

async fn call(system: &System, id: &TaskId) -> String {
    parked(system, id).await;
    let page = system
        .client()
        .approvals(&AskedFilter::default(), None, None)
        .await
        .unwrap();
    let mut of_task = page.data.into_iter().filter(|a| a.task_id == id.as_str());
    of_task.next().expect("an approval").call_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yes_runs_the_call_and_a_no_is_told_with_its_reason() {
    let system = system(&json!("always")).await;
    let client = system.client();
    let yes = system.submit(ask("clerk", query("6*7"))).await;
    let no = system.submit(ask("clerk", query("1+1"))).await;
    let call_of_yes = call(&system, &yes).await;
    let by = Some("jane".to_owned());
    let approve = ApproveRequest {
        by: by.clone(),
        ..ApproveRequest::default()
    };
    client
        .approve(yes.as_str(), &call_of_yes, &approve)
        .await
        .unwrap();
    let deny = DenyRequest {
        reason: Some("too trivial".to_owned()),
        by,
        owner_id: None,
    };
    client
        .deny(no.as_str(), &call(&system, &no).await, &deny)
        .await
        .unwrap();
    for id in [&yes, &no] {
        assert_eq!(system.end(id).await.state, TaskState::Completed);
    }
    let (of_yes, of_no) = (results(&system, &yes).await, results(&system, &no).await);
    assert!(!of_yes[0].2 && of_yes[0].1.contains("42"), "{of_yes:?}");
    assert!(
        of_no[0].2 && of_no[0].1.contains("too trivial"),
        "{of_no:?}"
    );
    let events = system.events(&no).await;
    let denied = events
        .iter()
        .find(|e| e.event_type == "approval_denied")
        .unwrap();
    assert!(denied.data.get().contains("jane"), "{}", denied.data);
    assert_eq!(count(&events, "approval_requested"), 1);
    let late = client
        .deny(yes.as_str(), &call_of_yes, &DenyRequest::default())
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some(ErrorCode::ToolCallAnswered));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edited_arguments_are_checked_and_used() {
    let system = system(&json!("always")).await;
    let client = system.client();
    let id = system.submit(ask("clerk", query("6*7"))).await;
    let call = call(&system, &id).await;
    let edited = |arguments: Value| ApproveRequest {
        arguments: arguments.as_object().cloned(),
        ..ApproveRequest::default()
    };
    let refused = client
        .approve(id.as_str(), &call, &edited(json!({ "expression": 7 })))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::ValidationFailed));
    client
        .approve(id.as_str(), &call, &edited(json!({ "expression": "2+3" })))
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let results = results(&system, &id).await;
    assert!(
        results[0].1.contains('5') && !results[0].1.contains("42"),
        "{results:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_decides_which_calls_need_one() {
    let when = json!({ "when": { "properties": { "expression": { "pattern": "\\*" } }, "required": ["expression"] }, "timeout_seconds": 1 });
    let system = system(&when).await;
    let free = system.submit(ask("clerk", query("1+1"))).await;
    let asks = system.submit(ask("clerk", query("6*7"))).await;
    let record = system.end(&free).await;
    assert_eq!((record.state, record.attempts), (TaskState::Completed, 1));
    parked(&system, &asks).await;
    // Nobody says anything.
    assert_eq!(system.end(&asks).await.state, TaskState::Completed);
    let results = results(&system, &asks).await;
    assert!(
        results[0].2 && results[0].1.contains("timeout"),
        "{results:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_for_one_owner_and_one_version() {
    let setup = Setup::fast().agent(agent(
        "clerk",
        json!({ "tools": calculator(&json!("always")) }),
    ));
    let system = System::start(setup).await;
    let worker = system.start_worker().await;
    let id = system.submit(ask("clerk", query("6*7"))).await;
    let asked = call(&system, &id).await;
    let wrong = ApproveRequest {
        owner_id: Some("somebody-else".to_owned()),
        ..ApproveRequest::default()
    };
    let refused = system
        .client()
        .approve(id.as_str(), &asked, &wrong)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::TaskNotFound));
    // The agent is changed before anybody has said yes.
    worker.kill9();
    let changed = agent(
        "clerk",
        json!({ "tools": calculator(&json!("always")), "instructions": "You are another." }),
    );
    system.replace_agent(&changed);
    system
        .client()
        .approve(id.as_str(), &asked, &ApproveRequest::default())
        .await
        .unwrap();
    system.start_worker().await;
    let asked_again = || async {
        let record = system.task(&id).await;
        (record.awaited == 1 && record.attempts == 2).then_some(())
    };
    eventually(SOON, asked_again).await;
    let asked = call(&system, &id).await;
    system
        .client()
        .approve(id.as_str(), &asked, &ApproveRequest::default())
        .await
        .unwrap();
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let events = system.events(&id).await;
    assert_eq!(
        (
            count(&events, "approval_requested"),
            count(&events, "approval_granted")
        ),
        (2, 2)
    );
    system.finish().await;
}
