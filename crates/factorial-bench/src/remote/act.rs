//! Something is done to a running task: how long the call takes, and until the task's log tells of it.

use std::time::Instant;

use factorial_api::{ErrorCode, InputMessage, InputRole, SteerMode, SteerRequest};
use factorial_client::{Client, ClientError};
use factorial_core::TaskId;
use tokio::sync::oneshot;

use super::{Seen, Visit, seen};
use crate::error::BenchError;
use crate::report::Measure;
use crate::rest::{ends, follow};
use crate::stats::{millis, number};

/// Cancels each as soon as it runs.
pub(super) async fn cancel(visit: &Visit<'_>) -> Result<Seen, BenchError> {
    let act = async |client: &Client, id: &TaskId| client.cancel(id.as_str(), None).await.map(drop);
    one_by_one(visit, "cancel", "run_cancelled", act).await
}

/// Interrupts each with a message as soon as it runs, and lets it go on to its end.
pub(super) async fn steer(visit: &Visit<'_>) -> Result<Seen, BenchError> {
    let request = SteerRequest {
        messages: vec![InputMessage {
            role: InputRole::User,
            content: "Answer with the word ok at once.".to_owned(),
        }],
        mode: SteerMode::Interrupt,
        client_id: None,
    };
    let act =
        async |client: &Client, id: &TaskId| client.steer(id.as_str(), &request).await.map(drop);
    one_by_one(visit, "steer", "run_steering_applied", act).await
}

/// Tasks that end before they can be acted on are counted and give no time.
async fn one_by_one(
    visit: &Visit<'_>,
    name: &str,
    event_type: &'static str,
    act: impl AsyncFn(&Client, &TaskId) -> Result<(), ClientError>,
) -> Result<Seen, BenchError> {
    let (tasks, client) = (visit.options.tasks, visit.door.client()?);
    let (mut calls, mut effects, mut late) = (Vec::new(), Vec::new(), 0);
    let mut ids = Vec::new();
    visit.progress.begin(name, tasks);
    for done in 1..=tasks {
        let id = visit.door.submit(&client, &visit.task()).await?;
        let (started, runs) = oneshot::channel();
        let reader = {
            let (client, id, clock) = (visit.door.client()?, id.clone(), visit.clock);
            tokio::spawn(async move {
                let (mut started, mut effect) = (Some(started), None);
                let reading = follow(&client, &id, clock, |event| {
                    if event.event_type == "run_started" {
                        // Nobody listens any more when the visit is given up.
                        started.take().map(|started| started.send(()));
                    } else if event.event_type == event_type {
                        effect.get_or_insert_with(Instant::now);
                    }
                });
                reading.await?;
                Ok::<_, BenchError>(effect)
            })
        };
        // Without a start there was no run either; the reader says why.
        let _ = runs.await;
        let called = Instant::now();
        match act(&client, &id).await {
            Ok(()) => calls.push(millis(called.elapsed())),
            Err(error) if error.code() == Some(ErrorCode::TaskFinished) => late += 1,
            Err(error) => return Err(error.into()),
        }
        let effect = reader.await??;
        effects.extend(effect.map(|at| millis(at.saturating_duration_since(called))));
        ids.push(id);
        visit.progress.reach(done);
    }
    if effects.is_empty() {
        return Err(BenchError::Options(format!(
            "no task ran long enough for {name}: name an agent whose runs take longer, or a longer --query"
        )));
    }
    let ends = ends(&visit.door, &ids, visit.progress).await?;
    let mut measures = Measure::times(&format!("{name} call"), &calls, [None, None]);
    let what = format!("{name} to event seen");
    measures.extend(Measure::times(&what, &effects, [None, None]));
    let name = format!("ended before {name}");
    measures.push(Measure::new(name, "tasks", number(late)));
    Ok(seen(measures, &ends))
}
