//! Runs that are cut anywhere go on without doing twice what is committed.

use std::collections::HashMap;

use factorial_agent::{Agent, LlmAgent, Message, Run, RunEnd, ToolCall, ToolErrorKind};
use factorial_sim::Sim;
use proptest::{prelude::*, test_runner::TestRunner};

use crate::support::{
    Calls, Entry, MemoryJournal, definition, functions, resources, sim, with_tools,
};

fn agent(sim: &Sim, tools: &[&str]) -> (LlmAgent, Calls) {
    let (functions, calls) = functions();
    let agent = LlmAgent::build(
        with_tools(definition(&sim.base_url()), tools),
        &resources(functions),
    )
    .unwrap();
    (agent, calls)
}

fn asks(calls: &[(&str, &str)]) -> Message {
    let call = |(id, name): &(&str, &str)| ToolCall {
        id: (*id).to_owned(),
        name: (*name).to_owned(),
        arguments: "{\"n\": 1}".to_owned(),
        signatures: vec![],
    };
    Message::Assistant {
        content: String::new(),
        tool_calls: calls.iter().map(call).collect(),
        reasoning: None,
    }
}

#[tokio::test]
async fn only_missing_calls_are_run() {
    let sim = sim().await;
    let (agent, calls) = agent(&sim, &["alpha", "beta"]);
    let done = Message::Tool {
        call_id: "b".into(),
        name: "beta".into(),
        content: "kept".into(),
        is_error: false,
    };
    let journal = MemoryJournal::of(vec![
        Message::user("q"),
        asks(&[("a", "alpha"), ("b", "beta"), ("c", "beta")]),
        done,
    ]);
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    let mut ran = calls.lock().unwrap().clone();
    ran.sort();
    assert_eq!(ran, ["a", "c"]);
    assert_eq!(sim.stats().total, 1, "the reply is not asked for again");
    assert!(
        matches!(&journal.entries()[1], Entry::Tool(_, true)),
        "the boundary is the last outstanding one"
    );
}

#[tokio::test]
async fn an_at_most_once_tool_is_not_run_again() {
    let sim = sim().await;
    let (agent, calls) = agent(&sim, &["alpha", "once"]);
    let journal = MemoryJournal::of(vec![
        Message::user("q"),
        asks(&[("a", "once"), ("b", "alpha")]),
    ]);
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(*calls.lock().unwrap(), ["b"]);
    let record = journal
        .tools()
        .into_iter()
        .find(|record| record.call_id == "a")
        .unwrap();
    assert_eq!(record.error_kind, Some(ToolErrorKind::UnknownOutcome));
    // In a turn of the same run it is called as any other.
    let journal = MemoryJournal::new("use once");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(calls.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn calls_of_an_earlier_task_are_left_alone() {
    let sim = sim().await;
    let (agent, calls) = agent(&sim, &["alpha"]);
    let journal = MemoryJournal::of(vec![
        Message::user("q"),
        asks(&[("a", "alpha")]),
        Message::user("forget it [[sim:noop]]"),
    ]);
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert!(!calls.lock().unwrap().contains(&"a".to_owned()));
    assert_eq!(
        sim.requests()[0].messages,
        4,
        "but the model is told that there was no answer"
    );
}

/// One scenario: a run is cut at its `cut`-th journal call, then goes on.
async fn cut_and_resume(
    turns: u32,
    both: bool,
    cut: usize,
    committed: bool,
    steer: bool,
) -> Result<(), TestCaseError> {
    let sim = sim().await;
    let (agent, calls) = agent(&sim, &["alpha", "beta"]);
    let tools = if both {
        "use alpha and beta"
    } else {
        "use alpha"
    };
    let query = format!("{tools} [[sim:turns={turns}]]");
    let journal = MemoryJournal::new(&query);
    if steer {
        journal.steer("mind the gap");
    }
    journal.cut(cut, committed);
    let first = journal.run(&agent).await;
    let kept = journal.entries();
    let ran_before = calls.lock().unwrap().clone();
    let asked_before = sim.stats().total;
    if kept
        .iter()
        .any(|entry| matches!(entry, Entry::Complete(..)))
        && first == RunEnd::Lost
    {
        return Ok(()); // The task is completed; no worker would claim it again.
    }
    if first != RunEnd::Completed {
        prop_assert_eq!(first, RunEnd::Lost);
        journal.uncut();
        prop_assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    }
    let committed_calls: Vec<String> = kept
        .iter()
        .filter_map(|entry| match entry {
            Entry::Tool(record, _) => Some(record.call_id.clone()),
            _ => None,
        })
        .collect();
    let ran_after = calls.lock().unwrap()[ran_before.len()..].to_vec();
    for call in &committed_calls {
        prop_assert!(!ran_after.contains(call), "{} was run again", call);
    }
    let mut results: HashMap<String, u32> = HashMap::new();
    for record in journal.tools() {
        *results.entry(record.call_id).or_default() += 1;
    }
    prop_assert!(
        results.values().all(|count| *count == 1),
        "each call has one result: {:?}",
        results
    );
    let asked: Vec<String> = journal
        .conversation()
        .iter()
        .flat_map(Message::tool_calls)
        .map(|call| call.id.clone())
        .collect();
    prop_assert_eq!(
        asked.len(),
        results.len(),
        "every call has a result and its own id"
    );
    let turns_committed = journal
        .entries()
        .iter()
        .filter(|entry| matches!(entry, Entry::Reply(_) | Entry::Complete(..)))
        .count() as u64;
    let turns_kept = kept
        .iter()
        .filter(|entry| matches!(entry, Entry::Reply(_) | Entry::Complete(..)))
        .count() as u64;
    let asked_after = sim.stats().total - asked_before;
    prop_assert_eq!(
        asked_after,
        turns_committed - turns_kept,
        "no committed reply is asked for again"
    );
    Ok(())
}

#[test]
fn any_cut_resumes_without_repeating() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let scenario = (
        1u32..4,
        any::<bool>(),
        1usize..14,
        any::<bool>(),
        any::<bool>(),
    );
    TestRunner::new(config)
        .run(&scenario, |(turns, both, cut, committed, steer)| {
            runtime.block_on(cut_and_resume(turns, both, cut, committed, steer))
        })
        .unwrap();
}

#[tokio::test]
async fn steering_that_waits_comes_after_the_results_of_an_open_turn() {
    let sim = sim().await;
    let (agent, calls) = agent(&sim, &["alpha"]);
    let journal = MemoryJournal::of(vec![Message::user("q"), asks(&[("a", "alpha")])]);
    journal.steer("shorter");
    let run = Run {
        steering_waits: true,
        ..journal.next_run()
    };
    assert_eq!(agent.run(run).await, RunEnd::Completed);
    assert_eq!(
        calls.lock().unwrap()[0],
        "a",
        "the call is run, not given up"
    );
    let conversation = journal.conversation();
    assert!(
        matches!(&conversation[2], Message::Tool { call_id, is_error: false, .. } if call_id == "a")
    );
    assert_eq!(conversation[3], Message::user("shorter"));
}

#[tokio::test]
async fn steering_that_waits_is_taken_before_the_model_is_asked() {
    let sim = sim().await;
    let (agent, _) = agent(&sim, &[]);
    let journal = MemoryJournal::new("q");
    journal.steer("shorter");
    let run = Run {
        steering_waits: true,
        ..journal.next_run()
    };
    assert_eq!(agent.run(run).await, RunEnd::Completed);
    assert_eq!(journal.conversation()[1], Message::user("shorter"));
    let asked = sim.requests();
    assert_eq!(
        (asked.len(), asked[0].last_user_text.as_str()),
        (1, "shorter")
    );
}
