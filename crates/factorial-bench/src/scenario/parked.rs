//! Tasks that wait for an answer from outside, without a slot: what they weigh, and how fast an answer wakes them.

use std::sync::Arc;
use std::time::Duration;

use factorial_core::{
    AgentName, Answer, AnswerOutcome, TaskId, TaskState, WaitKey, WaitKind, WaitOutcome,
};
use factorial_sim::{RequestRecord, Sim, SimConfig};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Done;
use crate::delivery::{Expected, all_ended, all_in, check};
use crate::error::BenchError;
use crate::process::RoleProcess;
use crate::report::Measure;
use crate::role::DEFERRING_AGENT;
use crate::stage::Stage;
use crate::stats::{millis, rate};
use crate::submit::{self, Load, at_the_same_time};

/// Tasks that are answered one at a time, for their latency.
const ONE_AT_A_TIME: u64 = 500;
/// Calls at once that enqueue.
const AT_ONCE: usize = 48;
/// After a task, until the worker waits for the next one.
const PAUSE: Duration = Duration::from_millis(5);
/// Between two looks at the model.
const LOOK: Duration = Duration::from_millis(1);
/// How long an answer may take to be seen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages of the first request of a task: instructions and query.
const FIRST_MESSAGES: usize = 2;

/// A task and the key of the call that it waits for.
type Asked = (TaskId, WaitKey);

/// Parks all tasks, then answers some one at a time, with a worker that is idle, and the others all at once.
pub(super) async fn parked(stage: &Stage<'_>) -> Result<Done, BenchError> {
    let agent = AgentName::new(DEFERRING_AGENT)?;
    let (tasks, slots) = (stage.options.tasks, stage.options.concurrency);
    let config = SimConfig {
        history: 8,
        ..SimConfig::default()
    };
    let sim = Sim::start(config).await.map_err(BenchError::Model)?;
    let worker = stage.deferring_worker(slots, sim.base_url()).await?;
    let (store, progress) = (&stage.store, stage.progress);
    let empty = stage.server.sample().await?;
    progress.begin("parking", tasks);
    let load = Load::new(&agent, stage.payload());
    let asked = submit::through_store(store, &load, stage.ids(tasks), AT_ONCE, progress).await?;
    let is_parked = |state| state == TaskState::PendingToolResults;
    all_in(store, &agent, is_parked, tasks, &worker, progress).await?;
    let full = stage.server.sample().await?;
    let mut open = Vec::with_capacity(asked.ids.len());
    for id in &asked.ids {
        open.push(open_wait(stage, id).await?);
    }

    let alone = usize::try_from(ONE_AT_A_TIME.min((tasks / 2).max(1))).unwrap_or(1);
    let at_once = open.split_off(alone.min(open.len()));
    progress.begin("answering one at a time", open.len() as u64);
    let (mut calls, mut wakes) = (Vec::new(), Vec::new());
    for (one, done) in open.iter().zip(1..) {
        let (call, wake) = answer_alone(stage, &sim, &worker, one, done).await?;
        calls.push(call);
        wakes.push(wake);
        progress.reach(done);
    }
    progress.begin("answering all at once", at_once.len() as u64);
    let (answers, count) = (at_once.len() as u64, at_once.len());
    let started = Instant::now();
    let at_once: Arc<[Asked]> = at_once.into();
    let callers = (0..AT_ONCE).map(|_| {
        let (store, asked) = (store.clone(), Arc::clone(&at_once));
        move |index: usize| {
            let (store, asked) = (store.clone(), Arc::clone(&asked));
            async move {
                let Some(one) = asked.get(index) else {
                    return Err(BenchError::Delivery("an answer too many".to_owned()));
                };
                let started = Instant::now();
                answer(&store, one).await?;
                Ok((vec![one.0.clone()], started.elapsed()))
            }
        }
    });
    let answered = at_the_same_time(callers, count, progress).await?;
    all_ended(store, &agent, tasks, &worker, progress).await?;
    let took = started.elapsed().as_secs_f64();
    let expected = Expected {
        state: TaskState::Completed,
        attempts: 2,
        recoveries: 0,
    };
    check(store, &agent, &asked.ids, expected).await?;
    let requests = sim.stats().total;
    if requests != 2 * tasks {
        let text = format!("{tasks} tasks asked the model {requests} times");
        return Err(BenchError::Delivery(text));
    }

    let parked = full.memory_since(&empty, tasks).within("parked");
    let mut measures = Measure::times("answer call", &calls, [None, None]);
    measures.extend(Measure::times(
        "answer to next request",
        &wakes,
        [None, None],
    ));
    if answers > 0 {
        let given = rate(answers, answered.took.as_secs_f64());
        measures.push(Measure::new("answers", "answers/s", given));
        let ended = rate(answers, took);
        measures.push(Measure::new("answered to their end", "tasks/s", ended));
    }
    measures.push(parked);
    measures.extend(worker.peak_memory());
    worker.stop().await?;
    sim.stop().await;
    Ok(Done {
        measures,
        checked: tasks,
    })
}

/// The one call that a task waits for.
async fn open_wait(stage: &Stage<'_>, id: &TaskId) -> Result<Asked, BenchError> {
    let mut open = stage.store.waits(id).await?;
    open.retain(factorial_core::Wait::is_open);
    match (open.pop(), open.is_empty()) {
        (Some(wait), true) => Ok((id.clone(), wait.key)),
        _ => Err(BenchError::Delivery(format!(
            "task {id} does not wait for one answer"
        ))),
    }
}

async fn answer(store: &factorial_core::Store, asked: &Asked) -> Result<(), BenchError> {
    let (id, key) = asked;
    let payload: Value = json!("ok");
    let answer = Answer {
        key,
        kinds: &[WaitKind::Operator],
        outcome: WaitOutcome::Result,
        payload: &payload,
        by: json!({ "by": "bench" }),
        owner: None,
        token: None,
    };
    match store.answer(id, &answer).await? {
        AnswerOutcome::Answered(_) => Ok(()),
        other => Err(BenchError::Delivery(format!("answer to {id}: {other:?}"))),
    }
}

/// Milliseconds of the call, and from it to the arrival of the next request at the model.
async fn answer_alone(
    stage: &Stage<'_>,
    sim: &Sim,
    worker: &RoleProcess,
    asked: &Asked,
    number: u64,
) -> Result<(f64, f64), BenchError> {
    tokio::time::sleep(PAUSE).await;
    let (called, started) = ((stage.surroundings.clock)(), Instant::now());
    answer(&stage.store, asked).await?;
    let call = millis(started.elapsed());
    // Its first one, before it was parked, may still be remembered.
    let is_its = |r: &RequestRecord| {
        r.task.as_deref() == Some(asked.0.as_str()) && r.messages > FIRST_MESSAGES
    };
    while started.elapsed() < PATIENCE {
        let seen = sim.requests();
        if let Some(request) = seen.iter().find(|request| is_its(request)) {
            let late = request.arrival_unix_us.saturating_sub(called);
            return Ok((call, millis(Duration::from_micros(late))));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(BenchError::Stalled {
        seconds: PATIENCE.as_secs(),
        done: number - 1,
        tasks: stage.options.tasks,
        log: worker.log_tail(),
    })
}
