//! Tools that misbehave, and what the model gets.

use std::time::Duration;

use factorial_agent::{Agent, RunEnd, ToolErrorKind, ToolRecord};

use crate::support::{MemoryJournal, build, definition, eventually, sim, with_tools};

async fn result_of(tool: &str) -> ToolRecord {
    let sim = sim().await;
    let agent = build(with_tools(definition(&sim.base_url()), &[tool]));
    let journal = MemoryJournal::new(&format!("use {tool}"));
    assert_eq!(journal.run(&agent).await, RunEnd::Completed, "{tool}");
    journal.tools().remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_texts_for_the_model() {
    for (tool, kind, text) in [
        (
            "explode",
            ToolErrorKind::Panicked,
            "error (panicked): the tool panicked",
        ),
        ("refuse", ToolErrorKind::Failed, "error (failed): not today"),
        (
            "stuck",
            ToolErrorKind::Timeout,
            "error (timeout): the tool took longer than 0.1 s and was stopped",
        ),
    ] {
        let record = result_of(tool).await;
        assert_eq!(
            (record.error_kind, record.is_error, record.content.as_str()),
            (Some(kind), true, text)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_blocks_its_thread_times_out_all_the_same() {
    let record = result_of("hog").await;
    assert_eq!(record.error_kind, Some(ToolErrorKind::Timeout));
    assert!(record.duration_ms < 1800, "{}", record.duration_ms);
    assert_eq!(result_of("blocking").await.content, "done");
}

#[tokio::test]
async fn a_large_result_is_cut_with_a_note() {
    let record = result_of("big").await;
    assert!(record.content.len() <= 256 << 10 && !record.is_error);
    assert!(
        record.content.ends_with("[cut off: 10000000 bytes in all]"),
        "{}",
        &record.content[record.content.len() - 60..]
    );
}

#[tokio::test]
async fn builtins_are_registered() {
    for tool in ["calculator", "current_time"] {
        assert_eq!(result_of(tool).await.name, tool);
    }
}

#[tokio::test]
async fn dropping_a_run_stops_its_tools() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let sim = sim().await;
    let (started, stopped) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (mut functions, _) = crate::support::functions();
    let spec =
        factorial_agent::ToolSpec::new("endless", "x", serde_json::json!({"type": "object"}))
            .with_timeout(Duration::from_secs(600));
    let (begun, ended) = (Arc::clone(&started), Arc::clone(&stopped));
    functions.register(spec, move |_, _| {
        let flag = Flag(Arc::clone(&ended));
        begun.store(true, Ordering::SeqCst);
        async move {
            let _flag = flag;
            std::future::pending::<Result<String, factorial_agent::ToolError>>().await
        }
    });
    let resources = crate::support::resources(functions);
    let agent = factorial_agent::LlmAgent::build(
        with_tools(definition(&sim.base_url()), &["endless"]),
        &resources,
    )
    .unwrap();
    let journal = MemoryJournal::new("use endless");
    let run = agent.run(journal.next_run());
    tokio::select! {
        end = run => panic!("{end:?}"),
        () = eventually("the tool runs", || started.load(Ordering::SeqCst)) => {}
    }
    eventually("the tool is dropped", || stopped.load(Ordering::SeqCst)).await;
}
