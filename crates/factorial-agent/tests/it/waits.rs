//! Turns that wait: approvals, calls that are answered from outside, and all of them together.

use std::time::Duration;

use factorial_agent::{
    CallerTool, Limits, Message, Output, ParkedFor, RunEnd, ToolErrorKind, WaitKind, WaitOutcome,
};
use serde_json::{Value, json};

use crate::support::{Asks, Entry, MemoryJournal, Planner, with_definitions};

fn parked(journal: &MemoryJournal) -> Vec<ParkedFor> {
    let parked = |entry: &Entry| match entry {
        Entry::Park(parked_for) => Some(*parked_for),
        _ => None,
    };
    journal.entries().iter().filter_map(parked).collect()
}

/// What the last reply tells of the results.
fn told(journal: &MemoryJournal) -> String {
    match journal.output() {
        Some(Output::Text { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

fn first_waits(journal: &MemoryJournal) -> Vec<(String, WaitKind, Option<Duration>)> {
    let Entry::Reply(turn) = &journal.entries()[0] else {
        panic!("no reply")
    };
    turn.waits
        .iter()
        .map(|wait| (wait.key.to_string(), wait.kind, wait.timeout))
        .collect()
}

fn mixed() -> Vec<Asks> {
    vec![
        ("d", "later", json!({})),
        ("i", "alpha", json!({"n": 1})),
        ("a", "beta", json!({"n": 2})),
        ("k", "research", json!({"query": "why"})),
        ("x", "nothing", json!({})),
        ("e", "alpha", json!({"n": 99})),
    ]
}

fn tools() -> Value {
    json!([
        {"kind": "function", "name": "alpha"},
        {"kind": "function", "name": "beta", "approval": {"timeout_seconds": "never"}},
        {"kind": "function", "name": "once", "approval": "always"},
        {"kind": "deferred", "name": "later", "timeout_seconds": 9},
        {"kind": "deferred", "name": "asked_later", "approval": "always"},
        {"kind": "agent", "name": "research", "agent": "researcher", "description": "d"},
    ])
}

#[tokio::test]
async fn everything_is_waited_for_at_once_and_told_in_order() {
    let model = Planner::start(mixed()).await;
    let (agent, calls) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(
        first_waits(&journal),
        [
            (
                "d".to_owned(),
                WaitKind::Operator,
                Some(Duration::from_secs(9))
            ),
            ("a:a".to_owned(), WaitKind::Approval, None),
        ]
    );
    assert_eq!(journal.open_waits(), ["d", "a:a", "k/0"]);
    assert_eq!(parked(&journal), [ParkedFor::Answers]);
    assert_eq!(*calls.lock().unwrap(), ["i"], "what needs nobody is run");
    let errors: Vec<_> = journal
        .tools()
        .into_iter()
        .filter_map(|record| Some((record.call_id, record.error_kind?)))
        .collect();
    assert_eq!(
        errors,
        [
            ("x".to_owned(), ToolErrorKind::UnknownTool),
            ("e".to_owned(), ToolErrorKind::InvalidArguments)
        ]
    );
    // A run that finds them open parks again, and does nothing else.
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    journal.answer_all();
    journal.steer("and quickly");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(*calls.lock().unwrap(), ["i", "a"]);
    let committed: Vec<String> = journal.tools().into_iter().map(|r| r.call_id).collect();
    assert_eq!(
        committed[3..],
        ["d", "k", "a"],
        "answers in call order, then what ran"
    );
    let boundaries = journal
        .entries()
        .iter()
        .filter(|entry| matches!(entry, Entry::Tool(_, true)))
        .count();
    assert_eq!(boundaries, 1);
    assert_eq!(
        told(&journal)
            .lines()
            .map(|line| line.split('=').next().unwrap())
            .collect::<Vec<_>>(),
        ["d", "i", "a", "k", "x", "e"]
    );
    assert!(
        told(&journal)
            .contains("d=answer of d\ni=result of i for 1\na=result of a for 2\nk=answer of k/0\n")
    );
    assert_eq!(
        journal.waits(),
        [("d".to_owned(), true), ("a:a".to_owned(), true)],
        "all are taken, and children's gone"
    );
    assert!(
        journal
            .conversation()
            .contains(&Message::user("and quickly"))
    );
    assert_eq!(model.requests().len(), 2);
}

#[tokio::test]
async fn answers_that_came_before_the_task_parked_go_on_in_the_same_run() {
    let model = Planner::start(vec![
        ("d", "later", json!({})),
        ("k", "research", json!({"query": "q"})),
    ])
    .await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    // Cut at the moment of parking: the answers come, and the same task goes on.
    journal.cut(3, false);
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.uncut();
    assert_eq!(journal.open_waits(), ["d", "k/0"]);
    let run = journal.next_run();
    journal.answer_all();
    let end = factorial_agent::Agent::run(&agent, run).await;
    assert_eq!(
        end,
        RunEnd::Completed,
        "the run saw them open, the journal did not"
    );
    assert_eq!(told(&journal), "d=answer of d\nk=answer of k/0");
}

#[tokio::test]
async fn an_approval_decides() {
    for (outcome, payload, ran, expected) in [
        (
            WaitOutcome::Approved,
            json!({"by": "ann"}),
            true,
            "a=result of a for 2",
        ),
        (
            WaitOutcome::Approved,
            json!({"arguments": {"n": 7}}),
            true,
            "a=result of a for 7",
        ),
        (
            WaitOutcome::Approved,
            json!({"arguments": {"n": 70}}),
            false,
            "a=error (invalid_arguments): the arguments as approved are not valid: /n: 70 is greater than the maximum of 9",
        ),
        (
            WaitOutcome::Denied,
            json!({"reason": "too dear", "by": "ann"}),
            false,
            "a=error (denied): the call was not approved: too dear",
        ),
        (
            WaitOutcome::Denied,
            json!({}),
            false,
            "a=error (denied): the call was not approved",
        ),
        (
            WaitOutcome::Timeout,
            json!({}),
            false,
            "a=error (timeout): nobody approved the call in time",
        ),
        (
            WaitOutcome::Interrupted,
            json!({}),
            false,
            "a=error (interrupted): a new message came before the answer, which is not waited for any more",
        ),
        (
            WaitOutcome::Closed,
            json!({}),
            false,
            "a=error (closed): the task ended before the answer came, and was started again",
        ),
    ] {
        let model = Planner::start(vec![("a", "beta", json!({"n": 2}))]).await;
        let (agent, calls) = with_definitions(&model.base_url(), tools());
        let journal = MemoryJournal::new("q");
        assert_eq!(journal.run(&agent).await, RunEnd::Parked);
        journal.answer("a:a", outcome, payload);
        assert_eq!(journal.run(&agent).await, RunEnd::Completed);
        assert_eq!(told(&journal), expected);
        assert_eq!(calls.lock().unwrap().len(), usize::from(ran));
        assert_eq!(journal.waits(), [("a:a".to_owned(), true)]);
    }
}

#[tokio::test]
async fn a_condition_spares_the_question() {
    let tools = json!([{"kind": "function", "name": "alpha", "approval": {
        "when": {"properties": {"n": {"minimum": 5}}}}}]);
    let asks = vec![
        ("small", "alpha", json!({"n": 4})),
        ("large", "alpha", json!({"n": 5})),
    ];
    let model = Planner::start(asks).await;
    let (agent, calls) = with_definitions(&model.base_url(), tools);
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(journal.open_waits(), ["a:large"]);
    assert_eq!(*calls.lock().unwrap(), ["small"]);
}

#[tokio::test]
async fn a_new_version_of_the_agent_asks_again() {
    let model = Planner::start(vec![("a", "beta", json!({"n": 2}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    journal.answer_all();
    let mut changed = tools();
    changed[0]["approval"] = json!("always");
    let (agent, calls) = with_definitions(&model.base_url(), changed);
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(journal.open_waits(), ["a:a"]);
    assert!(calls.lock().unwrap().is_empty());
    let again =
        |entry: &Entry| matches!(entry, Entry::Register(waits, taken) if waits[0].key == taken[0]);
    assert_eq!(
        journal
            .entries()
            .iter()
            .filter(|entry| again(entry))
            .count(),
        1
    );
    journal.answer_all();
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(*calls.lock().unwrap(), ["a"]);
}

#[tokio::test]
async fn an_approved_call_that_must_not_be_made_twice_is_begun_once() {
    let asks = vec![("o", "once", json!({"n": 2}))];
    let model = Planner::start(asks.clone()).await;
    let (agent, calls) = with_definitions(&model.base_url(), tools());
    // The result is committed at the second call of the second run: begun, and then not known.
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    journal.answer_all();
    journal.cut(2, false);
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.uncut();
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(calls.lock().unwrap().len(), 1);
    let kinds: Vec<_> = journal
        .tools()
        .iter()
        .map(|record| record.error_kind)
        .collect();
    assert_eq!(kinds, [Some(ToolErrorKind::UnknownOutcome)]);
    // Cut before it is begun, it is run.
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    journal.answer_all();
    journal.cut(1, false);
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.uncut();
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(calls.lock().unwrap().len(), 2);
    assert_eq!(told(&journal), "o=result of o for 2");
}

#[tokio::test]
async fn a_deferred_call_may_need_a_yes_first() {
    let model = Planner::start(vec![("d", "asked_later", json!({}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    for open in ["a:d", "d"] {
        assert_eq!(journal.run(&agent).await, RunEnd::Parked);
        assert_eq!(journal.open_waits(), [open]);
        journal.answer_all();
    }
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(told(&journal), "d=answer of d");
    assert_eq!(
        journal.tools()[0].taken.len(),
        2,
        "both are taken by the result"
    );
}

#[tokio::test]
async fn tools_of_the_caller_are_answered_by_the_caller() {
    let asks = vec![
        ("b", "browser", json!({"url": "u"})),
        ("i", "alpha", json!({"n": 1})),
        ("e", "browser", json!({})),
    ];
    let model = Planner::start(asks).await;
    let (agent, calls) = with_definitions(&model.base_url(), tools());
    let mut journal = MemoryJournal::new("q");
    let tool = |name: &str| CallerTool {
        name: name.into(),
        description: "opens a page".into(),
        parameters: json!({"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}}),
        timeout: Some(Duration::from_secs(3)),
    };
    journal.caller_tools = vec![tool("browser"), tool("alpha")];
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(
        first_waits(&journal),
        [(
            "b".to_owned(),
            WaitKind::Caller,
            Some(Duration::from_secs(3))
        )]
    );
    assert_eq!(*calls.lock().unwrap(), ["i"], "the agent's own tool wins");
    let offered = &model.requests()[0]["tools"];
    assert_eq!(offered.as_array().unwrap().len(), 7);
    assert_eq!(offered[6]["function"]["name"], "browser");
    assert_eq!(
        offered[6]["function"]["parameters"]["required"],
        json!(["url"])
    );
    journal.answer("b", WaitOutcome::Result, json!({"title": "t"}));
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert!(told(&journal).starts_with("b={\"title\":\"t\"}\n"));
}

#[tokio::test]
async fn a_bad_tool_of_the_caller_fails_the_run_before_the_model_is_asked() {
    let model = Planner::start(vec![]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let mut journal = MemoryJournal::new("q");
    journal.caller_tools = vec![CallerTool {
        name: "browser".into(),
        description: String::new(),
        parameters: json!({"type": "nonsense"}),
        timeout: None,
    }];
    let RunEnd::Failed(failure) = journal.run(&agent).await else {
        panic!("it runs")
    };
    assert_eq!(failure.kind, factorial_agent::ErrorKind::BadRequest);
    assert!(
        !failure.retryable && failure.message.contains("browser"),
        "{failure:?}"
    );
    assert!(model.requests().is_empty());
}

#[tokio::test]
async fn calls_over_their_limit_register_nothing() {
    let model = Planner::start(mixed()).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q").limited(Limits {
        max_tool_calls: Some(5),
        ..Limits::default()
    });
    assert!(matches!(journal.run(&agent).await, RunEnd::Failed(_)));
    assert!(journal.waits().is_empty() && journal.children().is_empty());
}

#[tokio::test]
async fn a_drain_does_not_keep_a_task_from_parking() {
    let model = Planner::start(vec![("d", "later", json!({}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    journal.answer_all();
    journal.signals.drain().cancel();
    assert_eq!(
        journal.run(&agent).await,
        RunEnd::HandBack,
        "nothing is begun"
    );
    assert!(journal.tools().is_empty(), "and nothing is lost");
}
