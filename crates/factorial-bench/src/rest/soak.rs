//! Clients that hand in tasks, do something to them, and wait for their end, one after the other for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use factorial_api::{ErrorCode, InputMessage, InputRole, SteerMode, SteerRequest, TaskStatus};
use factorial_client::{Client, ClientError};
use factorial_core::TaskId;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::check::{Ended, end};
use super::door::Door;
use super::mix::{Kind, Mix};
use crate::error::BenchError;
use crate::progress::Progress;
use crate::report::Measure;
use crate::stats::{millis, number, rate};

/// Between two looks at the time.
const LOOK: Duration = Duration::from_millis(200);
/// What is done to a task is done within so many milliseconds, evenly.
const WITHIN_MS: u64 = 250;
/// A task that is started later is started after so many seconds at most.
const MOST_DELAY: f64 = 2.0;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) recoveries: u64,
    kinds: Vec<(Kind, u64)>,
    submit_ms: Vec<f64>,
    plain_ms: Vec<f64>,
    took: Duration,
}

/// Has so many clients work for so long. Every task is checked as soon as it has ended.
///
/// # Errors
/// [`BenchError::Delivery`] when one did not end exactly once, or what was done to it had no effect.
pub(crate) async fn soak(
    door: &Door,
    mix: &Mix,
    clients: usize,
    lasts: Duration,
    progress: &dyn Progress,
) -> Result<Tally, BenchError> {
    let (places, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut working = JoinSet::new();
    for _ in 0..clients.max(1) {
        let (door, mix, places) = (door.clone(), mix.clone(), Arc::clone(&places));
        let client = door.patient_client()?;
        working.spawn(async move {
            let mut tally = Tally::default();
            while started.elapsed() < lasts {
                let place = places.fetch_add(1, Ordering::Relaxed);
                one(&door, &client, &mix, place, &mut tally).await?;
            }
            Ok::<_, BenchError>(tally)
        });
    }
    let mut all = Tally::default();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            ended = working.join_next() => match ended {
                Some(tally) => all.add(tally??),
                None => break,
            },
            _ = look.tick() => progress.reach(started.elapsed().as_secs()),
        }
    }
    all.took = started.elapsed();
    Ok(all)
}

/// One task from its submission to its end.
async fn one(
    door: &Door,
    client: &Client,
    mix: &Mix,
    place: u64,
    tally: &mut Tally,
) -> Result<(), BenchError> {
    let kind = Kind::at(place);
    // Spread without chance: the steps are a prime.
    let after = Duration::from_millis(place * 97 % WITHIN_MS);
    let delay = after.as_secs_f64() * MOST_DELAY * 1_000.0 / number(WITHIN_MS);
    let started = Instant::now();
    let id = door.submit(client, &mix.task(door, kind, delay)).await?;
    tally.submit_ms.push(millis(started.elapsed()));
    let steered = match kind {
        Kind::Cancelled => {
            sleep(after).await;
            unless_finished(client.cancel(id.as_str(), None).await)?;
            0
        }
        Kind::Steered => {
            sleep(after).await;
            steer(client, &id, place).await?
        }
        _ => 0,
    };
    let ended = end(door, client, &id).await?;
    if kind == Kind::Plain {
        let took = ended.known.saturating_duration_since(started);
        tally.plain_ms.push(millis(took));
    }
    let told = applied(&ended);
    if told < steered {
        let text = format!("task {id} took {steered} messages and tells of {told}");
        return Err(BenchError::Delivery(text));
    }
    tally.count(kind, &ended);
    Ok(())
}

/// Messages that were accepted.
async fn steer(client: &Client, id: &TaskId, place: u64) -> Result<u64, BenchError> {
    let request = SteerRequest {
        messages: vec![InputMessage {
            role: InputRole::User,
            content: "And go on.".to_owned(),
        }],
        mode: if place.is_multiple_of(16) {
            SteerMode::Interrupt
        } else {
            SteerMode::NextTurn
        },
        client_id: None,
    };
    let answer = unless_finished(client.steer(id.as_str(), &request).await)?;
    Ok(answer.map_or(0, |answer| answer.accepted.into()))
}

/// A task that has ended refuses to be changed, which is as it should be.
fn unless_finished<T>(answer: Result<T, ClientError>) -> Result<Option<T>, BenchError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(ErrorCode::TaskFinished) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Messages that the log says were applied, or could not be.
fn applied(ended: &Ended) -> u64 {
    let of = |event: &factorial_api::Event| {
        let field = match event.event_type.as_str() {
            "run_steering_applied" => "count",
            "run_steering_failed" => "pending",
            _ => return 0,
        };
        event
            .data
            .get(field)
            .and_then(serde_json::Value::as_u64)
            .unwrap_or(0)
    };
    ended.events.iter().map(of).sum()
}

impl Tally {
    fn count(&mut self, kind: Kind, ended: &Ended) {
        self.accepted += 1;
        match ended.task.status {
            TaskStatus::Completed => self.completed += 1,
            TaskStatus::Cancelled => self.cancelled += 1,
            _ => self.failed += 1,
        }
        self.recoveries += u64::from(ended.task.recoveries);
        self.add_kind(kind, 1);
    }

    fn add_kind(&mut self, kind: Kind, tasks: u64) {
        match self.kinds.iter_mut().find(|(is, _)| *is == kind) {
            Some((_, count)) => *count += tasks,
            None => self.kinds.push((kind, tasks)),
        }
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.recoveries += other.recoveries;
        for (kind, tasks) in other.kinds {
            self.add_kind(kind, tasks);
        }
        self.submit_ms.extend(other.submit_ms);
        self.plain_ms.extend(other.plain_ms);
    }

    /// The figures.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        let ended = rate(self.accepted, self.took.as_secs_f64());
        let mut measures = vec![Measure::new("ended", "tasks/s", ended)];
        measures.extend(Kind::ALL.map(|kind| {
            let found = self.kinds.iter().find(|(is, _)| *is == kind);
            let tasks = found.map_or(0, |(_, tasks)| *tasks);
            Measure::new(format!("tasks, {}", kind.as_str()), "tasks", number(tasks))
        }));
        for (name, tasks) in [
            ("ended as completed", self.completed),
            ("ended as cancelled", self.cancelled),
            ("ended as failed", self.failed),
            ("recoveries", self.recoveries),
        ] {
            measures.push(Measure::new(name, "tasks", number(tasks)));
        }
        measures.extend(Measure::times("submit call", &self.submit_ms, [None, None]));
        measures.extend(Measure::times(
            "plain, to its end",
            &self.plain_ms,
            [None, None],
        ));
        measures
    }
}
