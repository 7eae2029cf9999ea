//! Sub-agents: children in order, failures marked, refusals told; also from an agent of one's own.

use std::time::Duration;

use async_trait::async_trait;
use factorial_agent::{
    Agent, AgentDefinition, Completion, FinishReason, JournalError, Limits, Message, ModelSpec,
    NewChild, Output, ParkedFor, Parking, Provider, Run, RunEnd, SpawnRefusal, Spawned,
    ToolErrorKind, TurnRecord, Usage, WaitOutcome, WaitStatus,
};
use serde_json::{Value, json};

use crate::support::{Entry, MemoryJournal, Planner, with_definitions};

fn tools() -> Value {
    json!([
        {"kind": "agent", "agent": "researcher", "name": "research", "description": "d",
         "fan_out": "topics", "max_children": 50, "timeout_seconds": 60, "limits": {"max_turns": 5}},
        {"kind": "agent", "agent": "mailer", "description": "d", "await": false},
    ])
}

#[tokio::test]
async fn a_fan_out_tells_its_ends_in_order() {
    let topics: Vec<String> = (0..40).map(|n| format!("topic {n}")).collect();
    let model = Planner::start(vec![("f", "research", json!({"topics": topics}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let mut journal = MemoryJournal::new("q").limited(Limits {
        max_total_tokens: Some(1000),
        ..Limits::default()
    });
    journal.nursery = Box::new(|child| match child.index {
        7 => Ok(Spawned::Refused(SpawnRefusal::TooMany)),
        8 => Err(JournalError::TooLarge("the query".into())),
        index => Ok(Spawned::Accepted(format!("child-{index}"))),
    });
    let run = Run {
        context: json!({"tenant": 1}),
        tree_usage: Usage {
            input: 300,
            ..Usage::default()
        },
        ..journal.next_run()
    };
    assert_eq!(agent.run(run).await, RunEnd::Parked);
    assert_eq!(
        journal.entries().last(),
        Some(&Entry::Park(ParkedFor::Children))
    );
    let children = journal.children();
    assert_eq!(children.len(), 38);
    let spent = journal.usage().total();
    let expected = NewChild {
        call_id: "f".into(),
        index: 1,
        siblings: 40,
        agent: "researcher".into(),
        query: "topic 1".into(),
        context: json!({"tenant": 1}),
        awaited: true,
        timeout: Some(Duration::from_secs(60)),
        max_depth: 8,
        limits: Limits {
            max_turns: Some(5),
            max_total_tokens: Some(700 - spent),
            ..Limits::default()
        },
    };
    assert_eq!(children[1], expected);
    journal.answer(
        "f/2",
        WaitOutcome::Failed,
        json!({"failure": {"kind": "refused", "message": "no"}}),
    );
    journal.answer("f/3", WaitOutcome::Cancelled, json!({}));
    journal.answer("f/4", WaitOutcome::Timeout, json!({}));
    journal.answer("f/39", WaitOutcome::Completed, json!({"output": {"n": 39}}));
    journal.answer_all();
    // Another process, which has to ask for the refused ones again.
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    let record = &journal.tools()[0];
    let items: Vec<Value> = serde_json::from_str(&record.content).unwrap();
    assert_eq!(items.len(), 40);
    assert_eq!(
        items[0],
        json!({"status": "completed", "output": "answer of f/0"})
    );
    assert_eq!(
        items[2],
        json!({"status": "failed", "failure": {"kind": "refused", "message": "no"}})
    );
    assert_eq!(items[3], json!({"status": "cancelled"}));
    assert_eq!(items[4], json!({"status": "timeout"}));
    assert_eq!(items[7]["failure"]["kind"], "too_many");
    assert_eq!(items[8]["failure"]["kind"], "too_large");
    assert_eq!(items[39]["output"], json!({"n": 39}));
    assert!(!record.is_error);
    assert_eq!(record.taken.len(), 38);
    assert!(journal.waits().is_empty());
}

#[tokio::test]
async fn children_that_nobody_waits_for_do_not_park() {
    let model = Planner::start(vec![("m", "mailer", json!({"query": "tell them"}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let journal = MemoryJournal::new("q");
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    assert_eq!(journal.tools()[0].content, "{\"task_id\":\"m-0\"}");
    assert!(!journal.children()[0].awaited && journal.waits().is_empty());
}

#[tokio::test]
async fn a_child_that_is_refused_is_told_at_once() {
    let model = Planner::start(vec![
        ("m", "mailer", json!({"query": "x"})),
        ("f", "research", json!({"topics": ["x"]})),
    ])
    .await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let mut journal = MemoryJournal::new("q");
    journal.nursery = Box::new(|_| Ok(Spawned::Refused(SpawnRefusal::TooDeep)));
    assert_eq!(journal.run(&agent).await, RunEnd::Completed);
    for record in journal.tools() {
        assert_eq!(record.error_kind, Some(ToolErrorKind::ChildRefused));
        assert!(
            record.content.contains("may not be nested this deep"),
            "{}",
            record.content
        );
    }
}

#[tokio::test]
async fn a_lost_lease_while_children_are_made_ends_the_run() {
    let model = Planner::start(vec![("f", "research", json!({"topics": ["x", "y"]}))]).await;
    let (agent, _) = with_definitions(&model.base_url(), tools());
    let mut journal = MemoryJournal::new("q");
    journal.nursery = Box::new(|child| match child.index {
        0 => Ok(Spawned::Accepted("a".into())),
        _ => Err(JournalError::Lost),
    });
    assert_eq!(journal.run(&agent).await, RunEnd::Lost);
    journal.nursery = Box::new(|child| Ok(Spawned::Accepted(child.index.to_string())));
    assert_eq!(journal.run(&agent).await, RunEnd::Parked);
    assert_eq!(journal.open_waits(), ["f/0", "f/1"]);
    let spawned = journal.entries();
    let of =
        |index| move |entry: &&Entry| matches!(entry, Entry::Spawn(child) if child.index == index);
    assert_eq!(
        spawned.iter().filter(of(0)).count(),
        1,
        "only the missing one is asked for"
    );
}

#[tokio::test]
async fn ended_descendants_count_towards_the_limits() {
    let model = Planner::start(vec![]).await;
    let (agent, _) = with_definitions(&model.base_url(), json!([]));
    let journal = MemoryJournal::new("q").limited(Limits {
        max_total_tokens: Some(100),
        max_cost_usd: Some(1.0),
        ..Limits::default()
    });
    let usage = Usage {
        input: 100,
        ..Usage::default()
    };
    for run in [
        Run {
            tree_usage: usage,
            ..journal.next_run()
        },
        Run {
            tree_cost_usd_micros: 1_000_000,
            ..journal.next_run()
        },
    ] {
        let RunEnd::Failed(failure) = agent.run(run).await else {
            panic!("it goes on")
        };
        assert_eq!(failure.kind, factorial_agent::ErrorKind::LimitExceeded);
    }
}

/// An agent of one's own that sums up what two children say.
struct Editor(AgentDefinition);

#[async_trait]
impl Agent for Editor {
    fn definition(&self) -> &AgentDefinition {
        &self.0
    }

    async fn run(&self, run: Run<'_>) -> RunEnd {
        let mut waits = run.waits;
        // Without waits nothing was asked for yet; asking again for the same call and index would be harmless.
        if waits.is_empty() {
            for (index, query) in (0..).zip(["facts", "figures"]) {
                let child = NewChild {
                    call_id: "draft".into(),
                    index,
                    siblings: 2,
                    agent: "writer".into(),
                    query: query.into(),
                    context: run.context.clone(),
                    awaited: true,
                    timeout: Some(Duration::from_secs(3600)),
                    max_depth: 4,
                    limits: Limits::default(),
                };
                match run.journal.spawn(child).await {
                    Ok(Spawned::Accepted(_) | Spawned::Refused(_)) => {}
                    Err(_) => return RunEnd::Lost,
                }
            }
        }
        let open = waits.iter().any(|wait| wait.status == WaitStatus::Open);
        if waits.is_empty() || open {
            match run.journal.park(ParkedFor::Children).await {
                Ok(Parking::Parked) => return RunEnd::Parked,
                Ok(Parking::Ready(now)) => waits = now,
                Err(_) => return RunEnd::Lost,
            }
        }
        let parts = waits.iter().filter_map(|wait| match &wait.status {
            WaitStatus::Answered(WaitOutcome::Completed, payload) => payload["output"].as_str(),
            _ => None,
        });
        let text = parts.collect::<Vec<_>>().join(" and ");
        let turn = TurnRecord {
            turn: run.turns_done + 1,
            message: Message::assistant(&text),
            repair: None,
            usage: Usage::default(),
            model: "none".into(),
            provider: "none".into(),
            provider_response_id: None,
            cost_usd_micros: None,
            duration_ms: 0,
            ttft_ms: 0,
            finish_reason: FinishReason::Stop,
            tool_calls: 0,
            waits: vec![],
        };
        match run.journal.complete(turn, Output::text(text)).await {
            Ok(Completion::Done) => RunEnd::Completed,
            Ok(Completion::Continue(_)) => RunEnd::HandBack,
            Err(_) => RunEnd::Lost,
        }
    }
}

#[tokio::test]
async fn an_agent_of_ones_own_spawns_and_parks() {
    let model = ModelSpec::new(Provider::OpenaiCompatible, "none");
    let editor = Editor(AgentDefinition::new("editor".parse().unwrap(), model));
    let journal = MemoryJournal::new("a report");
    assert_eq!(journal.run(&editor).await, RunEnd::Parked);
    assert_eq!(journal.open_waits(), ["draft/0", "draft/1"]);
    journal.answer_all();
    assert_eq!(journal.run(&editor).await, RunEnd::Completed);
    let text = "answer of draft/0 and answer of draft/1";
    assert_eq!(journal.output(), Some(Output::text(text)));
}
