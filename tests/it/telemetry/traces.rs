//! One trace of a run with children, tools, failures and a worker that dies: whole, through real processes.

use std::{collections::BTreeSet, time::Duration};

use factorial_core::{TaskRecord, TaskState};
use factorial_tests::{
    eventually,
    system::{Setup, System, ToolServer, agent, ask},
};
use serde_json::json;

use super::{
    SOON,
    collector::{Arrived, Collector, orphans, tree},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OUTSIDE: &str = "b7ad6b7169203331";
const SECRET: &str = "planted-in-a-prompt";

fn args(tools: &serde_json::Value) -> String {
    format!("[[sim:args={tools}]]")
}

/// A boss that uses a tool and spawns two helpers, one of whom fails at first.
async fn system(collector: &Collector, tools: &ToolServer) -> System {
    let research = json!({
        "kind": "agent", "name": "research", "agent": "helper", "description": "Is tested.",
        "fan_out": "topics", "max_children": 10,
    });
    let boss = agent("boss", json!({ "tools": [research, tools.tool("note")] }));
    let setup = Setup::fast()
        .agent(boss)
        .agent(agent("helper", json!({ "tools": [tools.tool("note")] })))
        .gateway("--otlp-endpoint", &collector.url)
        .worker("--otlp-endpoint", &collector.url)
        .worker("--max-retries", "1");
    System::start(setup).await
}

/// Submits with the trace of a caller.
async fn submit(system: &System, query: &str) -> factorial_core::TaskId {
    let response = reqwest::Client::new()
        .post(format!("{}/v1/tasks", system.url()))
        .header("traceparent", format!("00-{TRACE}-{OUTSIDE}-01"))
        .json(&ask("boss", query))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 201);
    let task: serde_json::Value = response.json().await.unwrap();
    let id = task["id"].as_str().unwrap().parse().unwrap();
    system.note(&id);
    id
}

/// The spans of the trace once an attempt of the task has completed it, and all is there that belongs to it.
async fn whole(collector: &Collector, id: &str) -> Vec<Arrived> {
    let has = |span: &Arrived, key: &str, value: &str| {
        span.attributes.get(key).is_some_and(|v| v == value)
    };
    eventually(SOON, async || {
        let mut spans = collector.spans();
        spans.retain(|span| span.trace == TRACE);
        let ended = spans.iter().any(|span| {
            has(span, "factorial.task.id", id) && has(span, "factorial.outcome", "completed")
        });
        let request = spans.iter().any(|span| span.name == "POST /v1/tasks");
        (ended && request).then_some(spans)
    })
    .await
}

fn named<'a>(spans: &'a [Arrived], name: &str) -> Vec<&'a Arrived> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn check(spans: &[Arrived]) {
    let tree = tree(spans, OUTSIDE);
    let orphans = orphans(spans, OUTSIDE);
    assert!(orphans.is_empty(), "{orphans:#?}\n{tree}");
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    assert_eq!(ids.len(), spans.len(), "ids are used twice\n{tree}");
    // Everything hangs below the caller's span.
    assert_eq!(tree.lines().count(), spans.len(), "{tree}");
    let said = spans
        .iter()
        .any(|span| format!("{span:?}").contains(SECRET));
    assert!(!said, "content in a span");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_with_children_tools_and_a_retry_is_one_trace() {
    let collector = Collector::start().await;
    let tools = ToolServer::start(async |_| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        "done".to_owned()
    })
    .await;
    let system = system(&collector, &tools).await;
    system.start_worker().await;
    let refused = r#"[[sim:behaviour={"fault":{"status":{"status":500}}}]]"#;
    let topics = json!(["[[sim:turns=1]] good", refused]);
    let query = args(&json!({ "research": { "topics": topics } })) + " " + SECRET;
    let id = submit(&system, &query).await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let spans = whole(&collector, id.as_str()).await;
    check(&spans);
    let shown = tree(&spans, OUTSIDE);
    let count = |name: &str| named(&spans, name).len();
    // The boss runs, parks and goes on; of the helpers one is tried twice.
    assert_eq!(count("invoke_agent boss"), 2, "{shown}");
    assert_eq!(count("enqueue helper"), 2, "{shown}");
    assert_eq!(count("invoke_agent helper"), 3, "{shown}");
    assert_eq!(count("queue boss") + count("queue helper"), 5, "{shown}");
    assert!(
        count("execute_tool note") >= 1 && count("execute_tool research") == 1,
        "{shown}"
    );
    let failed = named(&spans, "invoke_agent helper");
    let failed = failed.iter().filter(|span| span.failed).count();
    assert_eq!(failed, 2, "{shown}");
    // Spawned by the call, and below the task of the one who spawned.
    let call = &named(&spans, "execute_tool research")[0].id;
    let request = &named(&spans, "POST /v1/tasks")[0].id;
    for child in named(&spans, "enqueue helper") {
        assert_eq!((&child.links[0], &child.parent), (call, request));
    }
    let chat = named(&spans, "chat sim-model")[0];
    assert!(chat.took > 0);
    for key in [
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.usage.input_tokens",
    ] {
        assert!(chat.attributes.contains_key(key), "{chat:?}");
    }
    // A tool is told which span called it.
    let told: BTreeSet<String> = tools
        .calls()
        .iter()
        .map(|call| call.trace.clone())
        .collect();
    for note in named(&spans, "execute_tool note") {
        assert!(
            told.contains(&format!("00-{TRACE}-{}-01", note.id)),
            "{told:?}"
        );
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_dies_leaves_no_orphan() {
    let collector = Collector::start().await;
    let tools = ToolServer::start(async |_| "done".to_owned()).await;
    let system = system(&collector, &tools).await;
    let worker = system.start_worker().await;
    let topics = json!([
        "[[sim:turns=1]] good",
        "[[sim:turns=2]][[sim:latency_ms=1500]] slow"
    ]);
    let query = args(&json!({ "research": { "topics": topics } })) + " " + SECRET;
    let id = submit(&system, &query).await;
    // In the second turn of the slow child, whose first one was told of, or would have been.
    let child = eventually(SOON, async || {
        let below = system.descendants(std::slice::from_ref(&id)).await;
        let slow = |task: &TaskRecord| {
            let asked = system.asked(&task.id);
            asked
                .iter()
                .any(|request| request.last_user_text.contains("slow"))
        };
        below.into_iter().find(|task| task.turns == 1 && slow(task))
    })
    .await;
    system.when_asked(&child.id, 2).await;
    worker.kill9();
    system.start_worker().await;
    let ended = system.end(&id).await;
    assert_eq!(ended.state, TaskState::Completed);
    let ended = system.end(&child.id).await;
    assert_eq!(ended.recoveries, 1, "{child:?} {ended:?}");
    let spans = whole(&collector, id.as_str()).await;
    let shown = tree(&spans, OUTSIDE);
    check(&spans);
    assert_eq!(named(&spans, "enqueue helper").len(), 2, "{shown}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_down_holds_nothing_up() {
    let collector = Collector::start().await;
    let tools = ToolServer::start(async |_| "done".to_owned()).await;
    let system = system(&collector, &tools).await;
    let worker = system.start_worker().await;
    drop(collector);
    let id = submit(&system, "[[sim:noop]]").await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let failed = &[r#"outcome="failed""#];
    eventually(SOON, async || {
        worker.metric("factorial_trace_spans_total", failed).await
    })
    .await;
    system.finish().await;
}
