//! The calls of a turn.
//!
//! A part of the turn loop. Invariant: each result is committed by itself, and the last one takes the steering. What is
//! to be waited for is registered before anything that could answer it is begun.

use futures::{StreamExt, stream::FuturesUnordered};

use super::{
    arrange::OpenTurn,
    calls::{Event, Running},
    drive::{Drive, Step, at},
    plan::{Plan, View},
    waits::{Made, Waits},
};
use crate::{
    ErrorKind, JournalError, Message, NewWait, Parking, RunEnd, Spawned, ToolCall, ToolError,
    ToolErrorKind, ToolRecord, WaitKey, tool::Outcome,
};

/// How far a call is in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Its next step is to be decided.
    Todo,
    /// Something runs for it.
    Busy,
    /// Somebody else has to answer.
    Waiting,
    /// Its result is committed.
    Done,
}

/// An open turn that is worked on.
struct Work<'r> {
    calls: Vec<(ToolCall, Progress)>,
    waits: Waits,
    open: OpenTurn,
    steering: Vec<Message>,
    running: FuturesUnordered<Running<'r>>,
    resumed: bool,
}

impl Work<'_> {
    fn left(&self) -> usize {
        let done = |(_, progress): &&(ToolCall, Progress)| *progress == Progress::Done;
        self.calls.len() - self.calls.iter().filter(done).count()
    }

    fn turn_all(&mut self, from: Progress, to: Progress) {
        for (_, progress) in &mut self.calls {
            if *progress == from {
                *progress = to;
            }
        }
    }
}

impl Drive<'_> {
    /// Does what is outstanding of a turn, all at once, and commits each result as it comes; parks when there is nothing
    /// left but to wait.
    pub(super) async fn tools(&mut self, open: OpenTurn, resumed: bool) -> Step<()> {
        if let Some(limit) = self.run.limits.tool_calls_exceeded_by(&self.spent) {
            return Err(self.limit(limit));
        }
        let outstanding = open.outstanding();
        let waits = std::mem::take(&mut self.waits);
        let work = Work {
            calls: outstanding
                .into_iter()
                .map(|call| (call, Progress::Todo))
                .collect(),
            waits,
            open,
            steering: Vec::new(),
            running: FuturesUnordered::new(),
            resumed,
        };
        let (waits, messages) = self.work(work).await?;
        self.waits = waits;
        self.messages.extend(messages);
        Ok(())
    }

    /// The waits and the new messages once every call has its result.
    async fn work<'r>(&'r self, mut work: Work<'r>) -> Step<(Waits, Vec<Message>)> {
        // A call is parked for at most its approval, its approval again, and its result.
        let mut rounds = 3 * work.calls.len() + 1;
        loop {
            self.decide(&mut work).await?;
            if work.left() == 0 {
                let mut messages = work.open.close();
                messages.append(&mut work.steering);
                return Ok((work.waits, messages));
            }
            if !work.running.is_empty() {
                let event = tokio::select! {
                    biased;
                    () = at(self.deadline) => return Err(self.wall()),
                    event = work.running.next() => event,
                };
                if let Some((index, event)) = event {
                    self.take(&mut work, index, event).await?;
                }
                continue;
            }
            let parking = self.run.journal.park(work.waits.parked_for()).await;
            match parking.map_err(|error| self.journal_failed(&error))? {
                Parking::Parked => return Err(RunEnd::Parked),
                Parking::Ready(waits) if rounds > 0 => {
                    rounds -= 1;
                    work.waits.replace(waits);
                    work.turn_all(Progress::Waiting, Progress::Todo);
                }
                Parking::Ready(_) => {
                    let message = "the journal says that nothing is waited for, but a call is";
                    return Err(self.fail(ErrorKind::JournalUnavailable, message));
                }
            }
        }
    }

    /// Decides about the calls that are to be decided about, until there is none.
    async fn decide<'r>(&'r self, work: &mut Work<'r>) -> Step<()> {
        loop {
            let todo: Vec<usize> = (0..work.calls.len())
                .filter(|index| work.calls[*index].1 == Progress::Todo)
                .collect();
            if todo.is_empty() {
                return Ok(());
            }
            let reachable = |call: &str| self.run.journal.callback_url(call).is_some();
            let view = self.view(&work.waits, work.resumed, &reachable);
            let plans: Vec<(usize, Plan)> = todo
                .into_iter()
                .map(|index| (index, view.plan(&work.calls[index].0)))
                .collect();
            self.register(work, &plans).await?;
            let mut given = Vec::new();
            for (index, plan) in plans {
                let call = work.calls[index].0.clone();
                work.calls[index].1 = match plan {
                    Plan::Register { .. } => Progress::Todo,
                    Plan::Wait => Progress::Waiting,
                    Plan::Give(outcome) => {
                        given.push((index, outcome));
                        Progress::Busy
                    }
                    Plan::Run { args, .. } => {
                        work.running.push(self.run_tool(index, call, args));
                        Progress::Busy
                    }
                    Plan::Send { args } => {
                        work.waits.sent(&call.id);
                        work.running.push(self.send(index, call, args));
                        Progress::Busy
                    }
                    Plan::Spawn(children) => {
                        work.running.push(self.spawn(index, children));
                        Progress::Busy
                    }
                };
            }
            for (index, outcome) in given {
                let record = self.result(&work.calls[index].0, outcome, 0);
                self.commit_result(work, index, record).await?;
            }
        }
    }

    pub(super) fn view<'v>(
        &'v self,
        waits: &'v Waits,
        resumed: bool,
        reachable: &'v (dyn Fn(&str) -> bool + Sync),
    ) -> View<'v> {
        View {
            tools: &self.tools,
            waits,
            version: &self.agent.version,
            resumed,
            context: &self.run.context,
            left: self.left(),
            reachable,
        }
    }

    /// Registers what is to be waited for, and takes what is about to have its effect, in one commit.
    async fn register(&self, work: &mut Work<'_>, plans: &[(usize, Plan)]) -> Step<()> {
        let (mut waits, mut taken): (Vec<NewWait>, Vec<WaitKey>) = (Vec::new(), Vec::new());
        for (_, plan) in plans {
            match plan {
                Plan::Register { wait, again } => {
                    taken.extend(again.then(|| wait.key.clone()));
                    waits.push(wait.clone());
                }
                Plan::Run { begin, .. } => taken.extend(begin.clone()),
                Plan::Give(_) | Plan::Send { .. } | Plan::Spawn(_) | Plan::Wait => {}
            }
        }
        if waits.is_empty() && taken.is_empty() {
            return Ok(());
        }
        let registered = self.run.journal.register(waits.clone(), taken.clone());
        registered
            .await
            .map_err(|error| self.journal_failed(&error))?;
        work.waits.took(&taken);
        for wait in waits {
            work.waits.opened(wait, &self.agent.version);
        }
        Ok(())
    }

    /// Takes what has come of something that ran.
    async fn take(&self, work: &mut Work<'_>, index: usize, event: Event) -> Step<()> {
        match event {
            Event::Ran(record) => return self.commit_result(work, index, record).await,
            Event::Sent(Ok(())) => work.calls[index].1 = Progress::Waiting,
            Event::Sent(Err(error)) => {
                work.calls[index].1 = Progress::Waiting;
                let key = WaitKey::Call(work.calls[index].0.id.clone());
                let message = format!("{}: {}", error.kind, error.message);
                let settled = self.run.journal.settle_error(key, message).await;
                settled.map_err(|error| self.journal_failed(&error))?;
            }
            Event::Spawned(children) => {
                work.calls[index].1 = Progress::Todo;
                for (key, awaited, spawned) in children {
                    match spawned {
                        Ok(Spawned::Accepted(_)) if awaited => work.waits.awaits(key),
                        Ok(Spawned::Accepted(id)) => work.waits.note(key, Made::Accepted(id)),
                        Ok(Spawned::Refused(why)) => work.waits.note(key, why.into()),
                        Err(JournalError::TooLarge(why)) => {
                            work.waits.note(key, Made::Refused("too_large", why));
                        }
                        Err(error) => return Err(self.journal_failed(&error)),
                    }
                }
            }
        }
        Ok(())
    }

    async fn commit_result(
        &self,
        work: &mut Work<'_>,
        index: usize,
        mut record: ToolRecord,
    ) -> Step<()> {
        record.taken = work.waits.to_take(&record.call_id);
        let boundary = work.left() == 1;
        let journal = self.run.journal;
        let steering = match journal.tool_result(record.clone(), boundary).await {
            Err(JournalError::TooLarge(_)) => {
                let outcome = Outcome::from(ToolError::new(
                    ToolErrorKind::TooLarge,
                    "the result is too large to be kept",
                ));
                (record.content, record.error_kind, record.is_error) =
                    (outcome.content, outcome.error, true);
                journal.tool_result(record.clone(), boundary).await
            }
            steering => steering,
        };
        let steering = steering.map_err(|error| self.journal_failed(&error))?;
        work.steering.extend(steering);
        work.waits.took(&record.taken);
        work.calls[index].1 = Progress::Done;
        work.open
            .done
            .insert(record.call_id.clone(), record.message());
        Ok(())
    }
}
