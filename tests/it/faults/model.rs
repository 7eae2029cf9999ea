//! Faults of the model: each has its typed handling.

use std::time::{Duration, Instant};

use factorial_core::{Entry, TaskState};
use factorial_sim::{Behaviour, Fault};
use factorial_tests::{
    eventually,
    system::{Setup, System, agent, ask},
};
use serde_json::{Value, json};

use super::{SOON, obliging_tools};

/// A fault, and what has to come of it.
struct Case {
    name: &'static str,
    agent: &'static str,
    behaviour: Value,
    /// The kind and the provider's status of the failure; none: it completes.
    failure: Option<(&'static str, Option<u16>)>,
    retries: u32,
    turns: u32,
    asked: usize,
}

fn passes(
    name: &'static str,
    agent: &'static str,
    behaviour: Value,
    retries: u32,
    turns: u32,
    asked: usize,
) -> Case {
    Case {
        name,
        agent,
        behaviour,
        failure: None,
        retries,
        turns,
        asked,
    }
}

fn fails(
    name: &'static str,
    agent: &'static str,
    behaviour: Value,
    failure: (&'static str, Option<u16>),
    retries: u32,
    turns: u32,
) -> Case {
    let asked = usize::try_from(turns + retries).unwrap() + 1;
    Case {
        name,
        agent,
        behaviour,
        failure: Some(failure),
        retries,
        turns,
        asked,
    }
}

fn once(fault: Value) -> Value {
    first(1, fault)
}

#[expect(clippy::needless_pass_by_value, reason = "calls read as a literal")]
fn first(times: u32, fault: Value) -> Value {
    json!({ "fault": fault, "fail_first": times })
}

#[expect(clippy::needless_pass_by_value, reason = "calls read as a literal")]
fn always(fault: Value) -> Value {
    json!({ "fault": fault })
}

fn status(status: u16) -> Value {
    json!({ "status": { "status": status } })
}

fn cases() -> Vec<Case> {
    let overflow = json!({ "status": { "status": 400, "code": "context_length_exceeded" } });
    let mut late_401 = always(status(401));
    late_401["when"] = json!("text");
    vec![
        passes("429", "plain", first(2, status(429)), 2, 1, 3),
        passes("500 storm", "plain", first(3, status(500)), 3, 1, 4),
        passes("503", "plain", once(status(503)), 1, 1, 2),
        passes("409", "plain", once(status(409)), 1, 1, 2),
        passes("disconnect", "plain", once(json!("disconnect")), 1, 1, 2),
        passes(
            "cut mid-token",
            "plain",
            once(json!({ "cut": { "after_tokens": 2 } })),
            1,
            1,
            2,
        ),
        passes(
            "cut mid tool call",
            "clerk",
            once(json!({ "cut": { "after_tokens": 0 } })),
            1,
            2,
            3,
        ),
        passes("no end", "plain", once(json!("no_end")), 1, 1, 2),
        passes(
            "no end of a tool call",
            "clerk",
            once(json!("no_end")),
            1,
            2,
            3,
        ),
        passes(
            "malformed",
            "plain",
            once(json!({ "malformed_chunk": { "after_tokens": 1 } })),
            1,
            1,
            2,
        ),
        passes(
            "invalid arguments",
            "clerk",
            once(json!("invalid_arguments")),
            0,
            2,
            2,
        ),
        passes(
            "unknown tool",
            "clerk",
            once(json!("unknown_tool")),
            0,
            2,
            2,
        ),
        passes(
            "empty choices",
            "plain",
            once(json!("empty_choices")),
            1,
            1,
            2,
        ),
        passes("hang", "hasty", once(json!({ "hang": {} })), 1, 1, 2),
        passes(
            "hang after tokens",
            "hasty",
            once(json!({ "hang": { "after_tokens": 2 } })),
            1,
            1,
            2,
        ),
        fails(
            "500 for ever",
            "weary",
            always(status(500)),
            ("server_error", Some(500)),
            2,
            0,
        ),
        fails(
            "hang for ever",
            "weary",
            always(json!({ "hang": {} })),
            ("timeout", None),
            2,
            0,
        ),
        fails(
            "refusal",
            "plain",
            always(json!("refusal")),
            ("refused", None),
            0,
            0,
        ),
        fails(
            "content filter",
            "plain",
            always(json!("content_filter")),
            ("refused", None),
            0,
            0,
        ),
        fails(
            "context overflow",
            "plain",
            always(overflow),
            ("context_overflow", Some(400)),
            0,
            0,
        ),
        fails(
            "400",
            "plain",
            always(status(400)),
            ("bad_request", Some(400)),
            0,
            0,
        ),
        fails(
            "404",
            "plain",
            always(status(404)),
            ("not_found", Some(404)),
            0,
            0,
        ),
        fails(
            "401 mid-run",
            "clerk",
            late_401,
            ("authentication", Some(401)),
            0,
            1,
        ),
    ]
}

async fn system() -> (System, std::sync::Arc<factorial_tests::system::ToolServer>) {
    let tools = obliging_tools().await;
    let tool = || json!([tools.tool("note")]);
    let weary = json!({
        "worker": { "turn_timeout_seconds": 1.0 },
        "retry": { "base_seconds": 0.1, "cap_seconds": 0.2, "max_retries": 2 },
    });
    let setup = Setup::fast()
        .worker("--batch-size", "50")
        .agent(agent("plain", json!({})))
        .agent(agent("clerk", json!({ "tools": tool() })))
        .agent(agent(
            "looper",
            json!({ "tools": tool(), "limits": { "max_turns": 4 } }),
        ))
        .agent(agent(
            "hasty",
            json!({ "worker": { "turn_timeout_seconds": 1.5 } }),
        ))
        .agent(agent("weary", weary));
    let system = System::start(setup).await;
    system.start_worker().await;
    (system, tools)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_handled_by_its_kind() {
    let (system, tools) = system().await;
    let install = cases().into_iter().map(|case| {
        let mut behaviour = case.behaviour;
        behaviour["text_contains"] = json!(format!("<{}>", case.name));
        Behaviour::from_json(behaviour.to_string().as_bytes()).expect("a behaviour")
    });
    system.sim().behave_all(install.collect());
    let mut submitted = Vec::new();
    for case in cases() {
        submitted.push((
            system
                .submit(ask(case.agent, format!("<{}>", case.name)))
                .await,
            case,
        ));
    }
    for (id, case) in &submitted {
        let (name, task) = (case.name, system.end(id).await);
        let failure = task.failure.as_ref().map(|f| (f.kind.as_str(), f.status));
        match case.failure {
            None => assert_eq!(
                (task.state, failure),
                (TaskState::Completed, None),
                "{name}: {task:?}"
            ),
            Some(expected) => {
                assert_eq!(
                    (task.state, failure),
                    (TaskState::Failed, Some(expected)),
                    "{name}: {task:?}"
                );
            }
        }
        let asked = system.asked(id).len();
        assert_eq!(
            (task.retries, task.turns, asked),
            (case.retries, case.turns, case.asked),
            "{name}: {task:?}"
        );
        assert_eq!(
            (task.recoveries, task.attempts),
            (0, 1 + task.retries),
            "{name}"
        );
        match name {
            "hang" => assert!(system.asked(id)[0].closed_early, "{name}"),
            "invalid arguments" | "unknown tool" => {
                let told = system.entries(id).await.into_iter().find_map(|e| match e {
                    Entry::Tool {
                        content, is_error, ..
                    } => Some((content, is_error)),
                    _ => None,
                });
                let (content, is_error) = told.unwrap();
                assert!(
                    is_error && content.contains(&name.replace(' ', "_")),
                    "{name}: {content}"
                );
                assert!(
                    tools.calls().iter().all(|c| c.task() != id.as_str()),
                    "{name}"
                );
            }
            _ => {}
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_honoured() {
    let (system, _tools) = system().await;
    let fault = |more: Value| {
        let mut fault = status(429);
        for (key, value) in more.as_object().unwrap() {
            fault["status"][key] = value.clone();
        }
        once(fault)
    };
    let mut submitted = Vec::new();
    for (behaviour, least_ms) in [
        (fault(json!({ "retry_after": { "seconds": 2 } })), 2_000),
        (fault(json!({ "retry_after_ms": 1300 })), 1_300),
        (
            fault(json!({ "retry_after": { "date_in_seconds": 3 } })),
            2_000,
        ),
        (fault(json!({})), 0),
    ] {
        let query = format!("{least_ms} [[sim:behaviour={behaviour}]]");
        submitted.push((system.submit(ask("plain", query)).await, least_ms));
    }
    for (id, least_ms) in &submitted {
        let task = system.end(id).await;
        assert_eq!((task.state, task.retries), (TaskState::Completed, 1));
        let asked = system.asked(id);
        let gap = asked[1].arrival - asked[0].arrival;
        // The jitter of the first retry is at most 0.2 s; a date has whole seconds.
        let most = Duration::from_millis(least_ms + 1_000 + 200 + 1_000);
        assert!(
            gap >= Duration::from_millis(*least_ms) && gap <= most,
            "{least_ms}: {gap:?}"
        );
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_tool_loop_ends_at_max_turns() {
    let (system, tools) = system().await;
    let id = system.submit(ask("looper", "[[sim:turns=1000]]")).await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.turns, task.tool_calls),
        (TaskState::Failed, 4, 4)
    );
    let failure = task.failure.unwrap();
    assert_eq!(failure.kind, "limit_exceeded");
    assert!(
        failure.message.contains("max_turns (4)"),
        "{}",
        failure.message
    );
    assert_eq!((system.asked(&id).len(), tools.calls().len()), (4, 4));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancel_closes_the_socket_at_once() {
    let (system, _tools) = system().await;
    system.sim().behave_all(vec![
        Behaviour::fault(Fault::Hang { after_tokens: None }).for_text("silent"),
        Behaviour {
            token_delay_ms: Some(200),
            ..Behaviour::default()
        }
        .for_text("slow"),
    ]);
    let mut slowest = Duration::ZERO;
    for query in ["silent 1", "slow [[sim:tokens=500]]", "silent 2"] {
        let mut task = ask("plain", query);
        task.stream = query.starts_with("slow");
        let id = system.submit(task).await;
        system.when_asked(&id, 1).await;
        if query.starts_with("slow") {
            let chunks = || async {
                (system.store().events(&id, 0, 100).await.ok()?.0.len() > 3).then_some(())
            };
            eventually(SOON, chunks).await;
        }
        let asked = Instant::now();
        system.cancel(&id).await.expect("it is cancelled");
        assert_eq!(
            system.task(&id).await.state,
            TaskState::Cancelled,
            "when the call returns"
        );
        eventually(SOON, async || {
            system.asked(&id)[0].closed_early.then_some(())
        })
        .await;
        slowest = slowest.max(asked.elapsed());
        let events = system.events(&id).await.len();
        let next = system.submit(ask("plain", "[[sim:reply=next]]")).await;
        system.end(&next).await;
        assert_eq!(
            system.events(&id).await.len(),
            events,
            "nothing is written after the end"
        );
    }
    eprintln!("cancel to closed socket: {slowest:?} at most");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    system.finish().await;
}
