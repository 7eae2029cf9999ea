//! Whole runs against the simulated model: what is committed, when, and how they end.

use std::time::Duration;

use factorial_agent::{
    Agent, BoundaryReason, Completion, ErrorKind, Failure, Limits, Message, NoopAgent, Output,
    OutputSpec, Price, RunEnd, ToolErrorKind,
};
use factorial_sim::{Behaviour, Fault, ReplyKind};
use serde_json::json;

use crate::support::{Entry, MemoryJournal, build, definition, eventually, sim, with_tools};

fn failure(end: RunEnd) -> Failure {
    match end {
        RunEnd::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn roles(messages: &[Message]) -> Vec<&'static str> {
    let role = |message: &Message| match message {
        Message::System { .. } => "system",
        Message::User { .. } => "user",
        Message::Assistant { tool_calls, .. } if tool_calls.is_empty() => "assistant",
        Message::Assistant { .. } => "calls",
        Message::Tool { .. } => "tool",
    };
    messages.iter().map(role).collect()
}

#[tokio::test]
async fn a_run_with_tools_commits_each_step() {
    let sim = sim().await;
    let mut definition = with_tools(definition(&sim.base_url()), &["alpha", "beta"]);
    definition.prices.insert(
        "sim".to_owned(),
        Price {
            input: 1.0,
            cached_input: None,
            output: 2.0,
        },
    );
    let journal = MemoryJournal::new("use alpha and beta [[sim:turns=2]]");
    assert_eq!(journal.run(&build(definition)).await, RunEnd::Completed);
    let entries = journal.entries();
    let names: Vec<&str> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Reply(_) => "reply",
            Entry::Tool(_, false) => "tool",
            Entry::Tool(_, true) => "last tool",
            Entry::Complete(..) => "complete",
            Entry::Boundary(_) => "boundary",
            _ => "wait",
        })
        .collect();
    assert_eq!(names.first(), Some(&"reply"));
    assert_eq!(names.last(), Some(&"complete"));
    assert_eq!(
        names.iter().filter(|name| **name == "reply").count(),
        2,
        "{names:?}"
    );
    assert_eq!(
        names.iter().filter(|name| **name == "last tool").count(),
        2,
        "{names:?}"
    );
    assert!(matches!(
        journal.output(),
        Some(Output::Text {
            truncated: false,
            ..
        })
    ));
    assert!(!journal.deltas().is_empty());
    let stats = sim.stats();
    assert_eq!(
        (journal.usage().input, journal.usage().output),
        (stats.prompt_tokens, stats.completion_tokens)
    );
    for entry in &entries {
        if let Entry::Reply(turn) | Entry::Complete(turn, _) = entry {
            assert_eq!(
                turn.cost_usd_micros,
                Some(turn.usage.input + 2 * turn.usage.output)
            );
        }
    }
    assert!(
        sim.requests()
            .iter()
            .all(|request| request.stream && request.task.as_deref() == Some("task-1"))
    );
}

#[tokio::test]
async fn steering_goes_in_at_the_boundary_and_prolongs_a_run() {
    let sim = sim().await;
    let agent = build(with_tools(definition(&sim.base_url()), &["alpha"]));
    let journal = MemoryJournal::new("use alpha");
    journal.steer("and be quick");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(
        roles(&journal.conversation())[..4],
        ["user", "calls", "tool", "user"]
    );

    let agent = build(definition(&sim.base_url()));
    let journal = MemoryJournal::new("hello");
    journal.steer("one more thing");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(
        roles(&journal.conversation()),
        ["user", "assistant", "user", "assistant"]
    );
}

#[tokio::test]
async fn an_interrupt_aborts_the_call_and_goes_on_with_the_message() {
    let sim = sim().await;
    sim.behave(
        Behaviour::fault(Fault::Hang {
            after_tokens: Some(2),
        })
        .times(1),
    );
    let agent = build(definition(&sim.base_url()));
    let journal = MemoryJournal::new("a long story");
    let interrupt = async {
        eventually("a delta", || !journal.deltas().is_empty()).await;
        journal.steer("make it short");
        journal.signals.interrupt();
    };
    let (end, ()) = tokio::join!(journal.run(&agent), interrupt);
    assert_eq!(end, RunEnd::Completed);
    assert_eq!(
        roles(&journal.conversation()),
        ["user", "user", "assistant"]
    );
    assert_eq!(
        journal.entries()[0],
        Entry::Boundary(BoundaryReason::Interrupted)
    );
    assert_eq!(
        sim.requests().last().unwrap().last_user_text,
        "make it short"
    );
    eventually("the first call is closed", || sim.stats().closed_early == 1).await;
}

#[tokio::test]
async fn an_interrupt_before_the_run_is_not_missed() {
    let sim = sim().await;
    let journal = MemoryJournal::new("hello");
    journal.steer("wait");
    journal.signals.interrupt();
    assert_eq!(
        journal.run(&build(definition(&sim.base_url()))).await,
        RunEnd::Completed
    );
    assert_eq!(
        roles(&journal.conversation()),
        ["user", "user", "assistant"]
    );
}

#[tokio::test]
async fn a_drain_hands_back_at_the_boundary() {
    let sim = sim().await;
    let agent = build(with_tools(definition(&sim.base_url()), &["alpha"]));
    let journal = MemoryJournal::new("use alpha");
    sim.behave(Behaviour {
        latency_ms: Some(200),
        ..Behaviour::default()
    });
    let drain = async {
        eventually("the call is open", || sim.stats().current == 1).await;
        journal.signals.drain().cancel();
    };
    let (end, ()) = tokio::join!(journal.run(&agent), drain);
    assert_eq!(end, RunEnd::HandBack);
    assert_eq!(
        roles(&journal.conversation()),
        ["user", "calls", "tool"],
        "the turn is finished first"
    );
    assert_eq!(
        journal.run(&agent).await,
        RunEnd::HandBack,
        "and no other begun"
    );
    assert_eq!(sim.stats().total, 1);
}

#[tokio::test]
async fn an_endless_tool_loop_meets_each_limit() {
    for (limits, name) in [
        (
            Limits {
                max_turns: Some(3),
                ..Limits::default()
            },
            "max_turns (3)",
        ),
        (
            Limits {
                max_total_tokens: Some(100),
                ..Limits::default()
            },
            "max_total_tokens (100)",
        ),
        (
            Limits {
                max_tool_calls: Some(2),
                ..Limits::default()
            },
            "max_tool_calls (2)",
        ),
        (
            Limits {
                max_cost_usd: Some(0.0005),
                ..Limits::default()
            },
            "max_cost_usd (0.0005)",
        ),
        (Limits::default(), "max_turns (50)"),
    ] {
        let sim = sim().await;
        sim.behave(Behaviour::fault(Fault::ToolLoop));
        let mut definition = with_tools(definition(&sim.base_url()), &["alpha"]);
        definition.prices.insert(
            "sim".to_owned(),
            Price {
                input: 1.0,
                cached_input: None,
                output: 1.0,
            },
        );
        let journal = MemoryJournal::new("use alpha").limited(limits);
        let failure = failure(journal.run(&build(definition)).await);
        assert_eq!(
            (failure.kind, failure.retryable),
            (ErrorKind::LimitExceeded, false),
            "{failure:?}"
        );
        assert!(
            failure.message.contains(name),
            "{name}: {}",
            failure.message
        );
        if limits.max_tool_calls.is_some() {
            assert_eq!(journal.tools().len(), 2);
        }
    }
}

#[tokio::test]
async fn the_wall_clock_stops_calls_and_tools() {
    let sim = sim().await;
    sim.behave(Behaviour::fault(Fault::Hang { after_tokens: None }).when(ReplyKind::Text));
    for (query, tools) in [("hello", &[][..]), ("use stuck", &["stuck"])] {
        let agent = build(with_tools(definition(&sim.base_url()), tools));
        let journal = MemoryJournal::new(query).limited(Limits {
            max_wall_seconds: Some(0.05),
            ..Limits::default()
        });
        let mut run = journal.next_run();
        run.wall_remaining = Some(Duration::from_millis(50));
        let failure = failure(agent.run(run).await);
        assert_eq!(failure.kind, ErrorKind::LimitExceeded);
        assert!(
            failure.message.contains("max_wall_seconds (0.05)"),
            "{}",
            failure.message
        );
    }
}

#[tokio::test]
async fn json_output_is_repaired_once() {
    let schema =
        json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    for (bad_replies, completes) in [(1, true), (2, false)] {
        let sim = sim().await;
        sim.behave(Behaviour::fault(Fault::InvalidOutput).times(bad_replies));
        let mut definition = definition(&sim.base_url());
        definition.output = OutputSpec::Json {
            schema: schema.clone(),
        };
        let journal = MemoryJournal::new("a number");
        let end = journal.run(&build(definition)).await;
        let entries = journal.entries();
        let Entry::Reply(first) = &entries[0] else {
            panic!("{entries:?}")
        };
        assert!(
            first
                .repair
                .as_ref()
                .is_some_and(|repair| repair.content().contains("JSON Schema"))
        );
        assert_eq!(entries[1], Entry::Boundary(BoundaryReason::Repair));
        if completes {
            assert_eq!(end, RunEnd::Completed);
            assert!(
                matches!(journal.output(), Some(Output::Json { value }) if value["n"].is_i64())
            );
            assert_eq!(
                roles(&journal.conversation()),
                ["user", "assistant", "user", "assistant"]
            );
        } else {
            let failure = failure(end);
            assert_eq!(
                (failure.kind, failure.turn, failure.retryable),
                (ErrorKind::OutputInvalid, 2, false)
            );
        }
    }
}

#[tokio::test]
async fn an_empty_reply_is_repaired_once() {
    for (query, completes) in [("[[sim:reply=]]", false), ("hello", true)] {
        let sim = sim().await;
        if completes {
            sim.behave(Behaviour::fault(Fault::Huge { bytes: 0 }).times(1));
        } else {
            sim.behave(Behaviour::fault(Fault::Huge { bytes: 0 }));
        }
        let journal = MemoryJournal::new(query);
        match journal.run(&build(definition(&sim.base_url()))).await {
            RunEnd::Completed => assert!(completes),
            RunEnd::Failed(failure) => assert_eq!(
                (failure.kind, completes),
                (ErrorKind::InvalidReply, false),
                "{failure:?}"
            ),
            other => panic!("{other:?}"),
        }
        assert_eq!(sim.stats().total, 2);
        assert_eq!(
            sim.requests()[1].messages,
            2,
            "an empty message is not sent back"
        );
    }
}

#[tokio::test]
async fn unknown_tools_and_bad_arguments_go_back_to_the_model() {
    for (fault, kind) in [
        (Fault::UnknownTool, ToolErrorKind::UnknownTool),
        (Fault::InvalidArguments, ToolErrorKind::InvalidArguments),
    ] {
        let sim = sim().await;
        sim.behave(Behaviour::fault(fault).times(1));
        let journal = MemoryJournal::new("use alpha");
        assert_eq!(
            journal
                .run(&build(with_tools(definition(&sim.base_url()), &["alpha"])))
                .await,
            RunEnd::Completed
        );
        let tools = journal.tools();
        assert!(
            tools[0].is_error && tools[0].error_kind == Some(kind),
            "{tools:?}"
        );
        assert!(
            tools[0].content.starts_with(&format!("error ({kind}): ")),
            "{}",
            tools[0].content
        );
    }
}

#[tokio::test]
async fn what_does_not_fit_is_told() {
    let sim = sim().await;
    let agent = build(with_tools(definition(&sim.base_url()), &["alpha"]));
    let journal = MemoryJournal::new("use alpha");
    journal.too_large(1);
    assert_eq!(
        failure(journal.run(&agent).await).kind,
        ErrorKind::TooLarge,
        "a reply that cannot be kept"
    );

    let asked = MemoryJournal::new("use alpha");
    asked.cut(2, false);
    assert_eq!(asked.run(&agent).await, RunEnd::Lost);
    asked.uncut();
    asked.too_large(1);
    assert_eq!(
        asked.run(&agent).await,
        RunEnd::Completed,
        "a result that cannot be kept is an error for the model"
    );
    assert_eq!(asked.tools()[0].error_kind, Some(ToolErrorKind::TooLarge));
}

#[tokio::test]
async fn the_noop_agent_completes_at_once() {
    let agent = NoopAgent::new("noop".parse().unwrap(), "done");
    let journal = MemoryJournal::new("anything");
    journal.steer("more");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(journal.output(), Some(Output::text("done")));
    assert_eq!(
        roles(&journal.conversation()),
        ["user", "assistant", "user", "assistant"]
    );
    assert_ne!(Completion::Done, Completion::Continue(vec![]));
}
