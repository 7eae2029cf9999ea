//! A task that takes down every worker that runs it.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use factorial_core::TaskState;
use factorial_tests::system::{Setup, System, ToolCall, ToolServer, agent, ask, function_tool};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_stopped_and_the_others_flow() {
    // A tool that kills the worker which calls it: no tool of ours can.
    let known: Arc<OnceLock<Weak<System>>> = Arc::default();
    let system_of_tools = Arc::clone(&known);
    let answer = move |call: ToolCall| {
        let system = system_of_tools.get().and_then(Weak::upgrade);
        async move {
            let system = system.expect("the system runs");
            let holder = system.task(&call.task().parse().unwrap()).await.worker;
            if let Some(process) = holder.and_then(|w| system.worker_process(w.as_str())) {
                process.kill9();
            }
            String::new()
        }
    };
    let tools = Arc::new(ToolServer::start(answer).await);
    let setup = Setup::fast()
        .all("--max-recoveries", "2")
        .worker("--batch-size", "4")
        .agent(agent("bomb", json!({ "tools": [tools.tool("explode")] })))
        .agent(agent(
            "clock",
            json!({ "tools": [function_tool("current_time")] }),
        ));
    let system = Arc::new(System::start(setup).await);
    known.set(Arc::downgrade(&system)).unwrap();

    // What a deployment does: as many workers as before.
    let nurse = Arc::clone(&system);
    let nurse = tokio::spawn(async move {
        loop {
            while nurse.workers().len() < 2 {
                drop(nurse.launch_worker());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let bomb = system.submit(ask("bomb", "a")).await;
    let mut others = Vec::new();
    for n in 0..40 {
        others.push(
            system
                .submit(ask("clock", format!("[[sim:latency_ms=300]] {n}")))
                .await,
        );
    }
    let task = system.end(&bomb).await;
    assert_eq!(task.state, TaskState::Failed);
    assert_eq!(task.failure.unwrap().kind, "poison");
    assert_eq!((task.attempts, task.recoveries, task.retries), (3, 3, 0));
    assert_eq!(tools.calls().len(), 3);
    for id in &others {
        let task = system.end(id).await;
        assert_eq!((task.state, task.retries), (TaskState::Completed, 0));
    }
    nurse.abort();
    assert!(nurse.await.is_err_and(|e| e.is_cancelled()));
    let system = Arc::into_inner(system).expect("nobody else has it");
    system.finish().await;
}
