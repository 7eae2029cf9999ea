//! The journal of one run, on the store.
//!
//! Every write carries the token and a number that grows, so that a write whose answer was lost is repeated safely.
//! While Redis is away a write is repeated for [`PATIENCE`]; the task stays ours until another worker has it.

pub(crate) mod deltas;
mod endings;
mod reply;
mod waits;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use factorial_agent::{
    BoundaryReason, Completion, Journal, JournalError, Message, NewChild, NewWait, Output,
    ParkedFor, Parking, Spawned, ToolRecord, TurnRecord, WaitKey,
};
use factorial_core::{
    Claimed, Commit, CommitOutcome, Ending, Entry, EventType, Finish, FinishOutcome, Held,
    NewEvent, OwnerId, Plain, Priority, Store, StoreError, Usage,
};
use metrics::counter;
use serde_json::{Value, json};
use tokio::{sync::Mutex, time::Instant};

use self::{deltas::Deltas, reply::ModelCall};
use crate::{
    callbacks::Callbacks,
    convert,
    directory::Directory,
    execute::Context,
    held::HeldTasks,
    meters::Meters,
    metrics as names,
    trace::{OpenSpan, RunTrace},
};

/// How long a write is repeated while Redis is away.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two tries; doubled up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Progress of the writes; one at a time.
struct Written {
    write: u64,
    known: u64,
    turn_started: u32,
    /// Committed turns, and of the last reply: its index, and the tools of its calls.
    turns: u32,
    reply_at: u64,
    tool_of: BTreeMap<String, String>,
    usage: BTreeMap<String, Usage>,
    cost_micros: u64,
    tool_calls: u32,
    /// When the model call of the open turn began, if that was in this run.
    turn_began: Option<Instant>,
    diverged: bool,
}

/// Where a run commits.
pub(crate) struct StoreJournal {
    store: Store,
    held: Held,
    meters: Arc<Meters>,
    lease: Duration,
    in_flight: HeldTasks,
    attempt: u32,
    plain: Option<Plain>,
    owner: OwnerId,
    priority: Priority,
    trace: Option<String>,
    /// Most bytes of the output that its parent is told; `None` if nobody waits for it.
    answer_bytes: Option<u64>,
    /// Of the agent's definition.
    version: Arc<str>,
    directory: Directory,
    callbacks: Option<Arc<Callbacks>>,
    max_descendants: u64,
    written: Mutex<Written>,
    deltas: Arc<Deltas>,
    /// The spans of the run, if it is traced.
    spans: Option<Arc<RunTrace>>,
}

impl StoreJournal {
    pub(crate) fn new(
        context: &Context,
        meters: Arc<Meters>,
        version: Arc<str>,
        claimed: &Claimed,
        deltas: Arc<Deltas>,
        spans: Option<Arc<RunTrace>>,
    ) -> Self {
        let record = &claimed.record;
        let (reply_at, tool_of) = last_reply(&claimed.entries);
        Self {
            store: context.store.clone(),
            held: claimed.held.clone(),
            meters,
            lease: context.lease,
            in_flight: context.held.clone(),
            attempt: record.attempts,
            plain: Plain::of(record),
            owner: record.owner.clone(),
            priority: record.priority,
            trace: record.trace.clone(),
            answer_bytes: record.call.as_ref().and(record.answer_bytes),
            version,
            directory: context.directory.clone(),
            callbacks: context.callbacks.clone(),
            max_descendants: context.max_descendants,
            written: Mutex::new(Written {
                write: 0,
                known: claimed.length,
                turn_started: 0,
                turns: record.turns,
                reply_at,
                tool_of,
                usage: record.usage.clone(),
                cost_micros: record.cost_micros,
                tool_calls: record.tool_calls,
                turn_began: None,
                diverged: false,
            }),
            deltas,
            spans,
        }
    }

    /// The lease.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    /// The spans of the run, if it is traced.
    pub(crate) fn trace(&self) -> Option<&RunTrace> {
        self.spans.as_deref()
    }

    /// The task's owner.
    pub(crate) fn owner(&self) -> &OwnerId {
        &self.owner
    }

    /// `turn_started` once a turn, before its other events.
    fn start_turn(&self, written: &mut Written, turn: u32, events: &mut Vec<NewEvent>) {
        if written.turn_started < turn {
            written.turn_started = turn;
            events.insert(0, NewEvent::new(EventType::TurnStarted, turn, json!({})));
        }
    }

    /// Repeats a write until Redis has answered, or patience ends.
    async fn persist<T, F>(&self, mut write: impl FnMut() -> F) -> Result<T, JournalError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match write().await {
                Ok(outcome) => return Ok(outcome),
                Err(e)
                    if (e.is_unavailable() || matches!(e, StoreError::Full))
                        && started.elapsed() < PATIENCE =>
                {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(e) => {
                    tracing::error!(task.id = %self.held.id, error = %e, "commit given up");
                    return Err(JournalError::Unavailable(e.to_string()));
                }
            }
        }
    }

    /// The same for a write that gives the lease up.
    async fn persist_end<T, F>(&self, write: impl FnMut() -> F) -> Result<T, JournalError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.in_flight.set_ending(&self.held, true);
        self.persist(write).await
    }

    fn fenced(&self) -> JournalError {
        counter!(names::FENCED).increment(1);
        JournalError::Lost
    }

    /// The write was refused because Redis holds less than was acknowledged: it was restored from an older state.
    fn diverged(&self, written: &mut Written, length: u64) -> JournalError {
        tracing::warn!(task.id = %self.held.id, known = written.known, length, "redis lost a part of the conversation");
        written.diverged = true;
        JournalError::Lost
    }

    async fn commit(
        &self,
        written: &mut Written,
        mut commit: Commit,
        boundary: bool,
    ) -> Result<Vec<Message>, JournalError> {
        written.write += 1;
        commit.write = written.write;
        commit.known = written.known;
        match self
            .persist(|| self.store.commit(&self.held, &commit, boundary, self.lease))
            .await?
        {
            CommitOutcome::Committed(steering) => {
                written.known += (commit.entries.len() + steering.len()) as u64;
                Ok(convert::messages(steering).0)
            }
            CommitOutcome::Stale(_) => Err(self.fenced()),
            CommitOutcome::Diverged(length) => Err(self.diverged(written, length)),
            CommitOutcome::TooLarge => Err(JournalError::TooLarge(
                "the conversation has reached its maximum size".to_owned(),
            )),
        }
    }

    /// A turn without tools is committed.
    fn turn_done(&self, written: &mut Written, call: ModelCall, span: Option<OpenSpan>) {
        call.count();
        self.meters.turn_ended(written.turn_began.take());
        self.traced(span, true);
    }

    /// Something is committed, and maybe the turn with it.
    fn traced(&self, span: Option<OpenSpan>, turn_ended: bool) {
        let Some(trace) = self.trace() else { return };
        if let Some(span) = span {
            trace.committed(span);
        }
        if turn_ended {
            trace.turn_ended();
        }
    }

    /// Redis holds less than was acknowledged: the task is to be handed back, and resumed from what is there.
    pub(crate) async fn has_diverged(&self) -> bool {
        self.written.lock().await.diverged
    }
}

#[async_trait]
impl Journal for StoreJournal {
    async fn reply(&self, turn: TurnRecord) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        let span = self.trace().map(|trace| trace.reply(&turn));
        let (commit, call) = self.turn_commit(&mut written, turn);
        self.commit(&mut written, commit, false).await?;
        call.count();
        self.traced(span, false);
        Ok(())
    }

    async fn tool_result(
        &self,
        result: ToolRecord,
        boundary: bool,
    ) -> Result<Vec<Message>, JournalError> {
        let mut written = self.written.lock().await;
        let outcome = if result.is_error {
            "failed"
        } else {
            "completed"
        };
        let timer = self.meters.tool_timer(&result);
        let span = self.trace().map(|trace| trace.tool(&result));
        let data = json!({
            "tool": result.name, "call_id": result.call_id, "duration_ms": result.duration_ms,
            "error_kind": result.error_kind,
        });
        let event_type = if result.is_error {
            EventType::ToolFailed
        } else {
            EventType::ToolCompleted
        };
        let mut events = vec![NewEvent::new(event_type, result.turn, data)];
        if boundary {
            events.push(NewEvent::new(
                EventType::TurnCompleted,
                result.turn,
                json!({}),
            ));
            written.turn_started = result.turn + 1;
            events.push(NewEvent::new(
                EventType::TurnStarted,
                result.turn + 1,
                json!({}),
            ));
        }
        let entry = Entry::Tool {
            turn: result.turn,
            call_id: result.call_id,
            name: result.name,
            content: result.content,
            is_error: result.is_error,
        };
        let commit = Commit {
            entries: vec![entry],
            events,
            taken: result.taken.iter().map(convert::wait_key).collect(),
            ..Commit::default()
        };
        let steering = self.commit(&mut written, commit, boundary).await?;
        self.meters.tool_called(outcome);
        if let Some((histogram, duration)) = timer {
            histogram.record(duration.as_secs_f64());
        }
        self.traced(span, boundary);
        if boundary {
            self.meters.turn_ended(written.turn_began.take());
        }
        Ok(steering)
    }

    async fn complete(&self, turn: TurnRecord, output: Output) -> Result<Completion, JournalError> {
        let mut written = self.written.lock().await;
        let number = turn.turn;
        let text = turn.message.content().to_owned();
        let span = self.trace().map(|trace| trace.reply(&turn));
        let (mut last, call) = self.turn_commit(&mut written, turn);
        last.events
            .push(NewEvent::new(EventType::TurnCompleted, number, json!({})));
        let value = match output {
            // The text of the last reply is not stored twice.
            Output::Text { text: output, .. } if output == text => None,
            Output::Text { text, .. } => Some(Value::String(text)),
            Output::Json { value } => Some(value),
        };
        written.write += 1;
        last.write = written.write;
        last.known = written.known;
        let entries = last.entries.len() as u64;
        let answer = self.answer(value.as_ref().unwrap_or(&Value::String(text)));
        let finish = Finish {
            plain: self.plain.clone(),
            last,
            ending: Ending::Completed(value),
            answer,
        };
        match self
            .persist_end(|| self.store.finish(&self.held, &finish, self.lease))
            .await?
        {
            FinishOutcome::Finished => {
                self.turn_done(&mut written, call, span);
                Ok(Completion::Done)
            }
            FinishOutcome::Steered(messages) => {
                self.in_flight.set_ending(&self.held, false);
                self.turn_done(&mut written, call, span);
                written.known += entries + messages.len() as u64;
                Ok(Completion::Continue(convert::messages(messages).0))
            }
            FinishOutcome::Stale(_) => Err(self.fenced()),
            FinishOutcome::Diverged(length) => Err(self.diverged(&mut written, length)),
        }
    }

    async fn boundary(&self, reason: BoundaryReason) -> Result<Vec<Message>, JournalError> {
        let mut written = self.written.lock().await;
        let mut events: Vec<NewEvent> = self.deltas.take().into_iter().collect();
        self.traced(None, true);
        if reason == BoundaryReason::Interrupted {
            let turn = written.turn_started.max(1);
            events.push(NewEvent::new(
                EventType::CompletionInterrupted,
                turn,
                json!({}),
            ));
        }
        self.commit(
            &mut written,
            Commit {
                events,
                ..Commit::default()
            },
            true,
        )
        .await
    }

    async fn register(&self, waits: Vec<NewWait>, taken: Vec<WaitKey>) -> Result<(), JournalError> {
        self.register_waits(waits, taken).await
    }

    async fn spawn(&self, child: NewChild) -> Result<Spawned, JournalError> {
        self.spawn_child(child).await
    }

    async fn settle_error(&self, key: WaitKey, message: String) -> Result<(), JournalError> {
        self.answer_with_error(key, message).await
    }

    async fn park(&self, parked_for: ParkedFor) -> Result<Parking, JournalError> {
        self.park_task(parked_for).await
    }

    fn callback_url(&self, call_id: &str) -> Option<String> {
        let callbacks = self.callbacks.as_ref()?;
        Some(callbacks.url(&self.held.id, call_id))
    }

    fn call_trace(&self, call_id: &str) -> Option<String> {
        Some(self.trace()?.call(call_id))
    }

    fn delta(&self, turn: u32, text: &str) {
        self.deltas.push(turn, text);
    }
}

/// The index of the last reply of a conversation, and the tools of its calls.
fn last_reply(entries: &[Entry]) -> (u64, BTreeMap<String, String>) {
    let last = entries
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, entry)| match entry {
            Entry::Reply { tool_calls, .. } => Some((index as u64, tool_calls)),
            _ => None,
        });
    last.map_or_else(Default::default, |(index, calls)| {
        let tools = calls.iter().map(|c| (c.id.clone(), c.name.clone()));
        (index, tools.collect())
    })
}
