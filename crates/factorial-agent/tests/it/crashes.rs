//! A turn with everything in it, dropped at every point where it can be, goes on from the journal.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use factorial_agent::{Agent, LlmAgent, Output, RunEnd, ToolErrorKind};
use serde_json::json;

use crate::support::{Calls, Endpoint, MemoryJournal, PATIENCE, Planner, with_definitions};

/// Polls a run at most `polls` times and drops it then, as a crash would.
async fn crash_after(polls: usize, run: impl Future<Output = RunEnd>) -> Option<RunEnd> {
    let mut run = pin!(run);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match run.as_mut().poll(cx) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

struct World {
    agent: LlmAgent,
    calls: Calls,
    endpoint: Endpoint,
    _model: Planner,
}

impl World {
    fn forget(&self) {
        self.calls.lock().unwrap().clear();
        self.endpoint.forget();
    }
}

async fn world() -> World {
    let endpoint = Endpoint::start().await;
    let model = Planner::start(vec![
        ("i", "alpha", json!({"n": 1})),
        ("o", "once", json!({"n": 2})),
        ("a", "beta", json!({"n": 3})),
        ("d", "later", json!({})),
        ("j", "job", json!({"n": 4})),
        ("k", "research", json!({"topics": ["x", "y", "z"]})),
        ("m", "mailer", json!({"query": "x"})),
    ])
    .await;
    let parameters = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let tools = json!([
        {"kind": "function", "name": "alpha"},
        {"kind": "function", "name": "once", "approval": "always"},
        {"kind": "function", "name": "beta", "approval": "always"},
        {"kind": "deferred", "name": "later"},
        {"kind": "http", "name": "job", "deferred": true,
         "url": format!("{}/202", endpoint.base), "parameters": parameters},
        {"kind": "agent", "name": "research", "agent": "researcher", "description": "d", "fan_out": "topics"},
        {"kind": "agent", "name": "mailer", "agent": "mailer", "description": "d", "await": false},
    ]);
    let (agent, calls) = with_definitions(&model.base_url(), tools);
    World {
        agent,
        calls,
        endpoint,
        _model: model,
    }
}

/// Runs to the end; whatever the task parks for is answered.
async fn finish(world: &World, journal: &MemoryJournal) {
    for _ in 0..10 {
        match journal.run(&world.agent).await {
            RunEnd::Completed => return,
            RunEnd::Parked => journal.answer_all(),
            other => panic!("{other:?}"),
        }
    }
    panic!("the task parks for ever");
}

fn check(world: &World, journal: &MemoryJournal, crashed_at: &str) {
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    for record in journal.tools() {
        *results.entry(record.call_id).or_default() += 1;
    }
    let once: BTreeMap<String, usize> = ["a", "d", "i", "j", "k", "m", "o"]
        .map(|call| (call.to_owned(), 1))
        .into();
    assert_eq!(results, once, "one result for each call, {crashed_at}");
    let Some(Output::Text { text, .. }) = journal.output() else {
        panic!("no output, {crashed_at}")
    };
    for line in [
        "i=result of i for 1",
        "a=result of a for 3",
        "d=answer of d",
        "j=answer of j",
        "m={\"task_id\":\"m-0\"}",
        "k=[{\"status\":\"completed\",\"output\":\"answer of k/0\"},{\"status\":\"completed\",\"output\":\"answer of k/1\"},{\"status\":\"completed\",\"output\":\"answer of k/2\"}]",
    ] {
        assert!(
            text.lines().any(|told| told == line),
            "no {line}, {crashed_at}:\n{text}"
        );
    }
    // The functions themselves check that a call has its own idempotency key.
    let calls = world.calls.lock().unwrap();
    let ran = |id: &str| calls.iter().filter(|call| *call == id).count();
    assert!(
        (1..=2).contains(&ran("i")) && (1..=2).contains(&ran("a")),
        "{crashed_at}"
    );
    let unknown = journal
        .tools()
        .iter()
        .any(|record| record.error_kind == Some(ToolErrorKind::UnknownOutcome));
    assert!(ran("o") <= 1 && (ran("o") == 1 || unknown), "{crashed_at}");
    let keys: BTreeSet<String> = world
        .endpoint
        .hits()
        .into_iter()
        .map(|hit| hit.key)
        .collect();
    assert_eq!(
        keys,
        BTreeSet::from(["task-1/j".to_owned()]),
        "{crashed_at}"
    );
    assert_eq!(journal.children().len(), 4, "{crashed_at}");
    assert!(journal.open_waits().is_empty(), "{crashed_at}");
    let kept = ["d", "j", "a:a", "a:o"].map(|key| (key.to_owned(), true));
    assert_eq!(journal.waits(), kept, "all answers are taken, {crashed_at}");
}

#[tokio::test]
async fn a_turn_that_is_dropped_anywhere_goes_on() {
    let world = world().await;
    for stage in 0..2 {
        let mut polls = 1;
        loop {
            world.forget();
            let journal = MemoryJournal::new("q");
            for _ in 0..stage {
                assert_eq!(journal.run(&world.agent).await, RunEnd::Parked);
                journal.answer_all();
            }
            *journal.version.lock().unwrap() = world.agent.definition().version();
            let run = world.agent.run(journal.next_run());
            let end = tokio::time::timeout(PATIENCE, crash_after(polls, run))
                .await
                .unwrap();
            let crashed_at = format!(
                "in stage {stage} after {polls} polls: {:?}",
                journal.entries()
            );
            match end {
                Some(RunEnd::Parked) => journal.answer_all(),
                Some(RunEnd::Completed) | None => {}
                Some(other) => panic!("{other:?} {crashed_at}"),
            }
            if end != Some(RunEnd::Completed) && journal.output().is_none() {
                finish(&world, &journal).await;
            }
            check(&world, &journal, &crashed_at);
            if end.is_some() {
                assert!(polls > 10, "there were points to crash at");
                break;
            }
            polls += 1;
        }
    }
}

#[tokio::test]
async fn a_lease_that_is_lost_at_any_commit_goes_on() {
    let world = world().await;
    for committed in [false, true] {
        let mut cut = 1;
        loop {
            world.forget();
            let journal = MemoryJournal::new("q");
            journal.cut(cut, committed);
            let mut lost = false;
            while journal.output().is_none() && !lost {
                match journal.run(&world.agent).await {
                    RunEnd::Lost => lost = true,
                    RunEnd::Parked => journal.answer_all(),
                    RunEnd::Completed => {}
                    other => panic!("{other:?}"),
                }
            }
            journal.uncut();
            if journal.output().is_none() {
                finish(&world, &journal).await;
            }
            check(
                &world,
                &journal,
                &format!("at commit {cut}, committed: {committed}"),
            );
            if !lost {
                assert!(cut > 15, "there were commits to lose: {cut}");
                break;
            }
            cut += 1;
        }
    }
}
