//! The journal of one run, on the store.
//!
//! Every write carries the token and a number that grows, so that a write whose answer was lost is repeated safely.
//! While Redis is away a write is repeated for [`PATIENCE`]; the task stays ours until another worker has it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use factorial_agent::{
    BoundaryReason, Completion, Journal, JournalError, Message, Output, ToolRecord, TurnRecord,
};
use factorial_core::{
    Claimed, Commit, CommitOutcome, Ending, Entry, EventType, Failure, Finish, FinishOutcome, Held,
    NewEvent, Store, StoreError, Usage, WriteOutcome,
};
use metrics::{counter, histogram};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

use crate::{convert, metrics as names};

/// How long a write is repeated while Redis is away.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two tries; doubled up to the second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Text deltas that came within this time share an event.
const COALESCE: Duration = Duration::from_millis(50);

/// Progress of the writes; one at a time.
struct Written {
    write: u64,
    known: u64,
    turn_started: u32,
    usage: std::collections::BTreeMap<String, Usage>,
    cost_micros: u64,
    tool_calls: u32,
    diverged: bool,
}

/// Text that waits to be logged.
#[derive(Default)]
struct Pending {
    turn: u32,
    text: String,
}

/// Where a run commits.
pub(crate) struct StoreJournal {
    store: Store,
    held: Held,
    agent: Arc<str>,
    lease: Duration,
    stream: bool,
    written: Mutex<Written>,
    pending: std::sync::Mutex<Pending>,
    arrived: Notify,
}

impl StoreJournal {
    pub(crate) fn new(store: Store, claimed: &Claimed, lease: Duration) -> Self {
        let record = &claimed.record;
        Self {
            store,
            held: claimed.held.clone(),
            agent: record.agent.as_str().into(),
            lease,
            stream: record.stream,
            written: Mutex::new(Written {
                write: 0,
                known: claimed.length,
                turn_started: 0,
                usage: record.usage.clone(),
                cost_micros: record.cost_micros,
                tool_calls: record.tool_calls,
                diverged: false,
            }),
            pending: std::sync::Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Logs text deltas as they come, coalesced; runs beside the run, for ever.
    pub(crate) async fn log_deltas(&self) {
        loop {
            self.arrived.notified().await;
            tokio::time::sleep(COALESCE).await;
            let mut written = self.written.lock().await;
            let Some(event) = self.take_delta() else {
                continue;
            };
            let turn = event.turn;
            let mut commit = Commit {
                events: vec![event],
                ..Commit::default()
            };
            self.start_turn(&mut written, turn, &mut commit.events);
            if self.commit(&mut written, commit, false).await.is_err() {
                return;
            }
        }
    }

    fn take_delta(&self) -> Option<NewEvent> {
        let mut pending = self
            .pending
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = std::mem::take(&mut pending.text);
        let turn = pending.turn;
        (!text.is_empty()).then(|| NewEvent {
            event_type: EventType::CompletionChunk,
            turn,
            data: json!({ "text": text }),
        })
    }

    /// `turn_started` once a turn, before its other events.
    fn start_turn(&self, written: &mut Written, turn: u32, events: &mut Vec<NewEvent>) {
        if written.turn_started < turn {
            written.turn_started = turn;
            events.insert(
                0,
                NewEvent {
                    event_type: EventType::TurnStarted,
                    turn,
                    data: json!({}),
                },
            );
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

    /// Entries, totals and events of a reply.
    fn turn_commit(&self, written: &mut Written, turn: TurnRecord) -> (Commit, ModelCall) {
        let call = ModelCall::of(&turn);
        let usage = Usage {
            input: turn.usage.input,
            cached_input: turn.usage.cached_input,
            output: turn.usage.output,
            reasoning: turn.usage.reasoning,
        };
        let total = written.usage.entry(turn.model.clone()).or_default();
        total.add(usage);
        let changed = [(turn.model.clone(), *total)].into();
        written.cost_micros += turn.cost_usd_micros.unwrap_or(0);
        written.tool_calls += turn.tool_calls;

        let mut events: Vec<NewEvent> = self.take_delta().into_iter().collect();
        self.start_turn(written, turn.turn, &mut events);
        events.push(NewEvent {
            event_type: EventType::CompletionCompleted,
            turn: turn.turn,
            data: completion_data(&turn),
        });
        for call in turn.message.tool_calls() {
            let data = json!({ "tool": call.name, "call_id": call.id });
            events.push(NewEvent {
                event_type: EventType::ToolStarted,
                turn: turn.turn,
                data,
            });
        }
        let mut entries = vec![convert::reply(turn.turn, turn.message)];
        entries.extend(turn.repair.map(|m| Entry::Repair {
            turn: turn.turn,
            content: m.content().to_owned(),
        }));
        let commit = Commit {
            entries,
            turns: Some(turn.turn),
            tool_calls: (turn.tool_calls > 0).then_some(written.tool_calls),
            cost_micros: turn.cost_usd_micros.map(|_| written.cost_micros),
            usage: changed,
            events,
            ..Commit::default()
        };
        (commit, call)
    }

    /// Ends the task as failed.
    pub(crate) async fn fail(&self, turn: u32, failure: Failure) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let mut events: Vec<NewEvent> = self.take_delta().into_iter().collect();
        if failure.kind == factorial_core::failure_kind::LIMIT_EXCEEDED {
            events.push(NewEvent {
                event_type: EventType::LimitReached,
                turn,
                data: json!({ "message": failure.message }),
            });
        }
        let last = Commit {
            write: written.write,
            known: written.known,
            events,
            ..Commit::default()
        };
        let finish = Finish {
            last,
            ending: Ending::Failed(failure),
        };
        match self
            .persist(|| self.store.finish(&self.held, &finish, self.lease))
            .await?
        {
            FinishOutcome::Finished => Ok(()),
            FinishOutcome::Steered(_) | FinishOutcome::Stale(_) => Err(self.fenced()),
            FinishOutcome::Diverged(length) => Err(self.diverged(&mut written, length)),
        }
    }

    /// Puts the task aside until it is tried again.
    pub(crate) async fn back_off(
        &self,
        delay: Duration,
        failure: &Failure,
    ) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let write = written.write;
        self.written_or_fenced(
            self.persist(|| self.store.back_off(&self.held, write, delay, failure))
                .await?,
        )
    }

    /// Hands the task back.
    pub(crate) async fn release(&self) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        written.write += 1;
        let write = written.write;
        self.written_or_fenced(
            self.persist(|| self.store.release(&self.held, write))
                .await?,
        )
    }

    fn written_or_fenced(&self, outcome: WriteOutcome) -> Result<(), JournalError> {
        match outcome {
            WriteOutcome::Written => Ok(()),
            WriteOutcome::Stale(_) => Err(self.fenced()),
        }
    }

    /// Redis holds less than was acknowledged: the task is to be handed back, and resumed from what is there.
    pub(crate) async fn has_diverged(&self) -> bool {
        self.written.lock().await.diverged
    }
}

/// What a committed model call adds to the metrics; a call that was not committed adds nothing.
struct ModelCall {
    model: String,
    duration: Duration,
    first_token: Duration,
    tokens: [(&'static str, u64); 4],
}

impl ModelCall {
    fn of(turn: &TurnRecord) -> Self {
        let usage = turn.usage;
        Self {
            model: turn.model.clone(),
            duration: Duration::from_millis(turn.duration_ms),
            first_token: Duration::from_millis(turn.ttft_ms),
            tokens: [
                ("input", usage.input),
                ("cached_input", usage.cached_input),
                ("output", usage.output),
                ("reasoning", usage.reasoning),
            ],
        }
    }

    fn count(self, agent: &str) {
        let labels = [("agent", agent.to_owned()), ("model", self.model.clone())];
        counter!(names::MODEL_CALLS, &labels).increment(1);
        histogram!(names::MODEL_SECONDS, &labels).record(self.duration.as_secs_f64());
        histogram!(names::FIRST_TOKEN_SECONDS, &labels).record(self.first_token.as_secs_f64());
        for (kind, tokens) in self.tokens {
            counter!(names::TOKENS, "agent" => agent.to_owned(), "model" => self.model.clone(), "kind" => kind)
                .increment(tokens);
        }
    }
}

#[async_trait]
impl Journal for StoreJournal {
    async fn reply(&self, turn: TurnRecord) -> Result<(), JournalError> {
        let mut written = self.written.lock().await;
        let (commit, call) = self.turn_commit(&mut written, turn);
        self.commit(&mut written, commit, false).await?;
        call.count(&self.agent);
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
        let data = json!({
            "tool": result.name, "call_id": result.call_id, "duration_ms": result.duration_ms,
            "error_kind": result.error_kind,
        });
        let event_type = if result.is_error {
            EventType::ToolFailed
        } else {
            EventType::ToolCompleted
        };
        let mut events = vec![NewEvent {
            event_type,
            turn: result.turn,
            data,
        }];
        if boundary {
            events.push(NewEvent {
                event_type: EventType::TurnCompleted,
                turn: result.turn,
                data: json!({}),
            });
            written.turn_started = result.turn + 1;
            events.push(NewEvent {
                event_type: EventType::TurnStarted,
                turn: result.turn + 1,
                data: json!({}),
            });
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
            ..Commit::default()
        };
        let steering = self.commit(&mut written, commit, boundary).await?;
        counter!(names::TOOL_CALLS, "agent" => self.agent.to_string(), "outcome" => outcome)
            .increment(1);
        Ok(steering)
    }

    async fn complete(&self, turn: TurnRecord, output: Output) -> Result<Completion, JournalError> {
        let mut written = self.written.lock().await;
        let number = turn.turn;
        let text = turn.message.content().to_owned();
        let (mut last, call) = self.turn_commit(&mut written, turn);
        last.events.push(NewEvent {
            event_type: EventType::TurnCompleted,
            turn: number,
            data: json!({}),
        });
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
        let finish = Finish {
            last,
            ending: Ending::Completed(value),
        };
        match self
            .persist(|| self.store.finish(&self.held, &finish, self.lease))
            .await?
        {
            FinishOutcome::Finished => {
                call.count(&self.agent);
                Ok(Completion::Done)
            }
            FinishOutcome::Steered(messages) => {
                call.count(&self.agent);
                written.known += entries + messages.len() as u64;
                Ok(Completion::Continue(convert::messages(messages).0))
            }
            FinishOutcome::Stale(_) => Err(self.fenced()),
            FinishOutcome::Diverged(length) => Err(self.diverged(&mut written, length)),
        }
    }

    async fn boundary(&self, reason: BoundaryReason) -> Result<Vec<Message>, JournalError> {
        let mut written = self.written.lock().await;
        let mut events: Vec<NewEvent> = self.take_delta().into_iter().collect();
        if reason == BoundaryReason::Interrupted {
            let turn = written.turn_started.max(1);
            events.push(NewEvent {
                event_type: EventType::CompletionInterrupted,
                turn,
                data: json!({}),
            });
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

    fn delta(&self, turn: u32, text: &str) {
        if !self.stream {
            return;
        }
        let mut pending = self
            .pending
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        pending.turn = turn;
        pending.text.push_str(text);
        drop(pending);
        self.arrived.notify_one();
    }
}

fn completion_data(turn: &TurnRecord) -> Value {
    json!({
        "model": turn.model,
        "provider": turn.provider,
        "response_id": turn.provider_response_id,
        "finish_reason": turn.finish_reason,
        "duration_ms": turn.duration_ms,
        "time_to_first_token_ms": turn.ttft_ms,
        "tool_calls": turn.tool_calls,
        "cost_usd_micros": turn.cost_usd_micros,
        "usage": {
            "input_tokens": turn.usage.input, "cached_input_tokens": turn.usage.cached_input,
            "output_tokens": turn.usage.output, "reasoning_tokens": turn.usage.reasoning,
        },
    })
}
