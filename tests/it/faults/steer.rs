//! Steering at each moment of a task's life: applied once, in order, or refused.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use factorial_api::{ErrorCode, InputMessage, InputRole, SteerMode, SteerRequest};
use factorial_core::{Entry, TaskState};
use factorial_sim::{Behaviour, Fault};
use factorial_tests::{
    eventually,
    system::{Refusal, Setup, System, ToolCall, ToolServer, agent, ask},
};
use serde_json::json;

use super::{SOON, data, obliging_tools, of_type};

async fn system() -> System {
    System::start(Setup::fast().agent(agent("plain", json!({})))).await
}

/// The steering messages of the conversation, in order.
async fn applied(system: &System, id: &factorial_core::TaskId) -> Vec<String> {
    let entries = system.entries(id).await;
    let steer = |e: Entry| {
        if let Entry::Steer { content, .. } = e {
            Some(content)
        } else {
            None
        }
    };
    entries.into_iter().filter_map(steer).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queued_it_is_in_the_first_request() {
    let system = system().await;
    let id = system.submit(ask("plain", "a")).await;
    system
        .steer(&id, "and b", SteerMode::NextTurn)
        .await
        .expect("accepted");
    system
        .steer(&id, "and c", SteerMode::Interrupt)
        .await
        .expect("accepted");
    system.start_worker().await;
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.turns, task.steering),
        (TaskState::Completed, 1, 0)
    );
    let asked = system.asked(&id);
    assert_eq!(
        (asked.len(), asked[0].last_user_text.as_str()),
        (1, "and c")
    );
    assert_eq!(applied(&system, &id).await, ["and b", "and c"]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streaming_it_waits_for_the_next_turn() {
    let tools = obliging_tools().await;
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    system.start_worker().await;
    let id = system
        .submit(ask("clerk", "[[sim:latency_ms=700]] a"))
        .await;
    system.when_asked(&id, 1).await;
    let response = system
        .steer(&id, "[[sim:reply=b]]", SteerMode::NextTurn)
        .await
        .expect("accepted");
    assert_eq!((response.accepted, response.pending), (1, 1));
    let task = system.end(&id).await;
    assert_eq!((task.state, task.turns), (TaskState::Completed, 2));
    let asked = system.asked(&id);
    assert!(asked.iter().all(|r| !r.closed_early));
    assert_eq!(
        (asked.len(), asked[1].last_user_text.as_str()),
        (2, "[[sim:reply=b]]")
    );
    assert_eq!(system.store().output(&id).await.unwrap(), Some(json!("b")));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupt_aborts_the_open_call() {
    let system = system().await;
    system.start_worker().await;
    let mut slowest = Duration::ZERO;
    for (n, behaviour) in [
        Behaviour::fault(Fault::Hang { after_tokens: None }).times(1),
        Behaviour::fault(Fault::Hang {
            after_tokens: Some(3),
        })
        .times(1),
        Behaviour {
            token_delay_ms: Some(300),
            requests: Some(1),
            ..Behaviour::default()
        },
    ]
    .into_iter()
    .enumerate()
    {
        system.sim().behave(behaviour);
        let mut task = ask("plain", format!("{n} [[sim:tokens=200]]"));
        task.stream = true;
        let id = system.submit(task).await;
        system.when_asked(&id, 1).await;
        if n > 0 {
            let streamed = async || {
                let events = system.events(&id).await;
                (!of_type(&events, "progress_update_completion_chunk").is_empty()).then_some(())
            };
            eventually(SOON, streamed).await;
        }
        let sent = Instant::now();
        system
            .steer(&id, "[[sim:reply=stopped]]", SteerMode::Interrupt)
            .await
            .expect("accepted");
        eventually(SOON, async || {
            system.asked(&id)[0].closed_early.then_some(())
        })
        .await;
        slowest = slowest.max(sent.elapsed());
        let task = system.end(&id).await;
        // The aborted reply is not part of the conversation: the run has one turn.
        assert_eq!(
            (task.state, task.turns, task.retries),
            (TaskState::Completed, 1, 0)
        );
        let asked = system.asked(&id);
        assert_eq!(
            (asked.len(), asked[1].last_user_text.as_str()),
            (2, "[[sim:reply=stopped]]")
        );
        assert_eq!(
            system.store().output(&id).await.unwrap(),
            Some(json!("stopped"))
        );
        let events = system.events(&id).await;
        assert_eq!(
            of_type(&events, "progress_update_completion_interrupted").len(),
            1
        );
    }
    eprintln!("interrupt to closed socket: {slowest:?} at most");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_tools_it_follows_their_results() {
    let answer = async |_: ToolCall| {
        tokio::time::sleep(Duration::from_millis(800)).await;
        "done".to_owned()
    };
    let tools = Arc::new(ToolServer::start(answer).await);
    let clerk = agent("clerk", json!({ "tools": [tools.tool("note")] }));
    let system = System::start(Setup::fast().agent(clerk)).await;
    system.start_worker().await;
    let id = system.submit(ask("clerk", "a")).await;
    eventually(SOON, async || tools.calls().first().map(drop)).await;
    system
        .steer(&id, "[[sim:reply=b]]", SteerMode::NextTurn)
        .await
        .expect("accepted");
    let task = system.end(&id).await;
    assert_eq!((task.state, task.turns), (TaskState::Completed, 2));
    let entries = system.entries(&id).await;
    let place = |is: fn(&Entry) -> bool| entries.iter().position(is).unwrap();
    assert!(
        place(|e| matches!(e, Entry::Tool { .. })) < place(|e| matches!(e, Entry::Steer { .. }))
    );
    assert_eq!(tools.calls().len(), 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_it_finishes_the_run_goes_on_and_afterwards_it_is_refused() {
    let system = system().await;
    system.start_worker().await;
    let id = system
        .submit(ask("plain", "[[sim:latency_ms=700]] a"))
        .await;
    system.when_asked(&id, 1).await;
    system
        .steer(&id, "[[sim:reply=b]]", SteerMode::NextTurn)
        .await
        .expect("accepted");
    let task = system.end(&id).await;
    assert_eq!(
        (task.state, task.turns, task.attempts),
        (TaskState::Completed, 2, 1)
    );
    assert_eq!(system.store().output(&id).await.unwrap(), Some(json!("b")));
    let refused = system.steer(&id, "too late", SteerMode::NextTurn).await;
    assert_eq!(refused, Err(Refusal::Refused(ErrorCode::TaskFinished)));
    let refused = system.steer(&id, "too late", SteerMode::Interrupt).await;
    assert_eq!(refused, Err(Refusal::Refused(ErrorCode::TaskFinished)));
    assert_eq!(applied(&system, &id).await, ["[[sim:reply=b]]"]);
    system.finish().await;
}

/// Messages at random moments: each is applied once, in order, or refused because the task has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_any_moment_none_is_lost() {
    let system = Arc::new(system().await);
    system.start_worker().await;
    let mut racers = Vec::new();
    for n in 0..20_u64 {
        let id = system
            .submit(ask("plain", format!("[[sim:latency_ms={}]] {n}", 20 + n)))
            .await;
        let system = Arc::clone(&system);
        racers.push(tokio::spawn(async move {
            let mut accepted = Vec::new();
            for m in 0..8 {
                tokio::time::sleep(Duration::from_millis((n * 7 + m * 13) % 41)).await;
                let mode = if (n + m) % 3 == 0 {
                    SteerMode::Interrupt
                } else {
                    SteerMode::NextTurn
                };
                let text = format!("message {m}");
                match system.steer(&id, &text, mode).await {
                    Ok(_) => accepted.push(text),
                    Err(refusal) => assert_eq!(refusal, Refusal::Refused(ErrorCode::TaskFinished)),
                }
            }
            let task = system.end(&id).await;
            assert_eq!((task.state, task.steering), (TaskState::Completed, 0));
            assert_eq!(applied(&system, &id).await, accepted);
        }));
    }
    for racer in racers {
        racer.await.expect("every message is accounted for");
    }
    Arc::into_inner(system)
        .expect("nobody else has it")
        .finish()
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_client_id_counts_once_and_the_inbox_is_capped() {
    let system = system().await;
    let id = system.submit(ask("plain", "a")).await;
    let message = |text: String| InputMessage {
        role: InputRole::User,
        content: text,
    };
    let same = SteerRequest {
        messages: vec![message("0".to_owned())],
        mode: SteerMode::NextTurn,
        client_id: Some("mine".to_owned()),
    };
    assert_eq!(
        system
            .steer_with(&id, &same)
            .await
            .expect("accepted")
            .accepted,
        1
    );
    let again = system.steer_with(&id, &same).await.expect("known");
    assert_eq!((again.accepted, again.pending), (0, 1));
    let (mut accepted, mut refused) = (1, 0);
    for n in 1..=300 {
        match system.steer(&id, &n.to_string(), SteerMode::NextTurn).await {
            Ok(response) => accepted += response.accepted,
            Err(Refusal::Refused(ErrorCode::SteeringFull)) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((accepted, refused), (256, 45));
    system.start_worker().await;
    assert_eq!(system.end(&id).await.state, TaskState::Completed);
    let expected: Vec<String> = (0..256).map(|n| n.to_string()).collect();
    assert_eq!(applied(&system, &id).await, expected);
    let events = system.events(&id).await;
    assert_eq!(
        data(of_type(&events, "run_steering_applied")[0])["count"],
        256
    );
    system.finish().await;
}
