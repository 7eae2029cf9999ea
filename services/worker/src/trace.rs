//! The spans of one run: its time in the queue, the attempt, its turns, model calls, tools, and the children that it spawns.
//!
//! Made by `execute` for a task whose trace is recorded, told by the journal. Invariants: a span tells of what was committed;
//! all of a run are handed over together when it ends, so that a worker that dies leaves no span without its parent; what
//! outlives a run is below the span of its task, never below its own.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use factorial_agent::{ErrorKind, FinishReason, Message, ToolRecord, TurnRecord};
use factorial_core::{Claimed, Entry, TaskId, TaskRecord, WaitKey, WorkerId};
use factorial_service::trace::{Kind, Span, SpanId, TraceContext, Tracer, semconv, tracer};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::runner::Runner;

/// Spans that are kept until the run ends; of a longer run, those before go ahead.
const MOST_KEPT: usize = 2_048;

/// Of one run.
pub(crate) struct RunTrace {
    tracer: &'static Tracer,
    /// Below the task: a child has a span for that, others have the request that submitted them.
    task_place: TraceContext,
    /// Below the attempt.
    place: TraceContext,
    task: TaskId,
    attempt: String,
    attempt_span: Span,
    /// Of the time before, and of a child.
    before: Vec<Span>,
    model: Option<(String, String)>,
    /// The time of Redis at the claim, and since when that was.
    claimed_ns: u64,
    claimed_at: Instant,
    open: Mutex<Open>,
}

/// What is not handed over yet.
struct Open {
    spans: Vec<Span>,
    /// The open turn: number and begin.
    turn: Option<(u32, u64)>,
    /// When the last thing was committed.
    mark: u64,
    error: Option<&'static str>,
}

/// A span of something that is about to be committed.
pub(crate) struct OpenSpan {
    span: Span,
    turn: u32,
    from: u64,
    to: u64,
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl RunTrace {
    /// `None` when there is no collector, or the task's trace is not recorded.
    pub(crate) fn begin(claimed: &Claimed, runner: &Runner) -> Option<Self> {
        let tracer = tracer()?;
        let record = &claimed.record;
        let given: TraceContext = record.trace.as_deref()?.parse().ok()?;
        if !given.is_sampled() {
            return None;
        }
        let mut before = Vec::new();
        let task_place = match &record.parent {
            Some(parent) => {
                let place = given.below(SpanId::of(&[record.id.as_str(), "task"]));
                // Once, but for a task whose worker has died: nobody knows what that one has told.
                if record.attempts <= 1 || record.recoveries > 0 {
                    before.push(child(record, parent, given));
                }
                place
            }
            None => given,
        };
        let (id, attempt) = (record.id.as_str(), record.attempts.to_string());
        let claimed_ns = claimed.claimed_ms.saturating_mul(1_000_000);
        let own = SpanId::of(&[id, &attempt, "attempt"]);
        let name = format!("invoke_agent {}", runner.name);
        let mut attempt_span = Span::new(task_place, own, false, name, Kind::Consumer)
            .text(semconv::OPERATION, "invoke_agent")
            .text(semconv::AGENT_NAME, runner.name.as_str())
            .text(semconv::CONVERSATION, id)
            .text(semconv::TASK_ID, id)
            .number(semconv::ATTEMPT, record.attempts.into())
            .text(
                semconv::WORKER,
                record.worker.as_ref().map_or("", WorkerId::as_str),
            );
        if let Some(parent) = &record.parent {
            attempt_span = attempt_span.text(semconv::PARENT_TASK, parent.as_str());
        }
        if tracer.captures_content() {
            attempt_span = attempt_span.text(semconv::INPUT_MESSAGES, input(&claimed.entries));
        }
        let waited = SpanId::of(&[id, &attempt, "queue"]);
        let name = format!("queue {}", runner.name);
        let queue_span = Span::new(task_place, waited, false, name, Kind::Internal)
            .during(claimed.ready_ms.saturating_mul(1_000_000), claimed_ns)
            .text(semconv::TASK_ID, id)
            .number(semconv::ATTEMPT, record.attempts.into());
        let target = runner.agent.definition().model.targets().first().map(|t| {
            let (provider, model) = (t.provider.as_str().to_owned(), t.name.clone());
            (provider, model)
        });
        Some(Self {
            tracer,
            task_place,
            place: task_place.below(own),
            task: record.id.clone(),
            attempt,
            attempt_span,
            before: {
                before.push(queue_span);
                before
            },
            model: target,
            claimed_ns,
            claimed_at: Instant::now(),
            open: Mutex::new(Open {
                spans: Vec::new(),
                turn: None,
                mark: claimed_ns,
                error: None,
            }),
        })
    }

    /// Of the trace, as logs have it.
    pub(crate) fn id(&self) -> String {
        self.place.trace_id()
    }

    fn now(&self) -> u64 {
        self.claimed_ns
            .saturating_add(ns(self.claimed_at.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn_id(&self, turn: u32) -> SpanId {
        SpanId::of(&[self.task.as_str(), &self.attempt, &turn.to_string(), "turn"])
    }

    /// The `traceparent` for requests of a call.
    pub(crate) fn call(&self, call: &str) -> String {
        self.place.below(call_id(&self.task, call)).to_string()
    }

    /// A model call, which has just ended.
    fn chat(&self, turn: u32, provider: &str, model: &str) -> Span {
        let id = SpanId::of(&[self.task.as_str(), &self.attempt, &turn.to_string(), "chat"]);
        let place = self.place.below(self.turn_id(turn));
        Span::new(place, id, false, format!("chat {model}"), Kind::Client)
            .text(semconv::OPERATION, "chat")
            .text(semconv::PROVIDER, provider)
            .text(semconv::REQUEST_MODEL, model)
            .text(semconv::CONVERSATION, self.task.as_str())
    }

    /// A reply that is about to be committed.
    pub(crate) fn reply(&self, turn: &TurnRecord) -> OpenSpan {
        let reason = match turn.finish_reason {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::Refusal => "content_filter",
        };
        let mut span = self
            .chat(turn.turn, &turn.provider, &turn.model)
            .one_of_list(semconv::FINISH_REASONS, reason)
            .number(semconv::INPUT_TOKENS, turn.usage.input)
            .number(semconv::OUTPUT_TOKENS, turn.usage.output)
            .number(semconv::CACHED_TOKENS, turn.usage.cached_input)
            .fraction(semconv::FIRST_TOKEN, turn.ttft_ms as f64 / 1e3);
        if let Some(id) = &turn.provider_response_id {
            span = span.text(semconv::RESPONSE_ID, id);
        }
        if let Some(micros) = turn.cost_usd_micros {
            span = span.fraction(semconv::COST, micros as f64 / 1e6);
        }
        if self.tracer.captures_content() {
            span = span.text(semconv::OUTPUT_MESSAGES, output(&turn.message));
        }
        self.ended(span, turn.turn, turn.duration_ms)
    }

    /// A tool result that is about to be committed.
    pub(crate) fn tool(&self, result: &ToolRecord) -> OpenSpan {
        let place = self.place.below(self.turn_id(result.turn));
        let name = format!("execute_tool {}", result.name);
        let id = call_id(&self.task, &result.call_id);
        let mut span = Span::new(place, id, false, name, Kind::Internal)
            .text(semconv::OPERATION, "execute_tool")
            .text(semconv::TOOL_NAME, &result.name)
            .text(semconv::TOOL_CALL_ID, &result.call_id);
        if self.tracer.captures_content() {
            span = span.text(semconv::TOOL_RESULT, &result.content);
        }
        if result.is_error {
            let kind = result.error_kind.map(|kind| kind.to_string());
            span = span.failed(kind.unwrap_or_else(|| "tool_error".to_owned()));
        }
        self.ended(span, result.turn, result.duration_ms)
    }

    fn ended(&self, span: Span, turn: u32, duration_ms: u64) -> OpenSpan {
        let to = self.now();
        OpenSpan {
            span: span.number(semconv::TURN, turn.into()),
            turn,
            from: to.saturating_sub(duration_ms.saturating_mul(1_000_000)),
            to,
        }
    }

    /// It is committed.
    pub(crate) fn committed(&self, ended: OpenSpan) {
        let OpenSpan {
            span,
            turn,
            from,
            to,
        } = ended;
        let mut open = self.lock();
        if open.turn.is_none_or(|(number, _)| number != turn) {
            self.close_turn(&mut open, from);
            // Goes on with one of an earlier attempt, or begins.
            open.turn = Some((turn, open.mark.min(from)));
        }
        open.mark = to;
        self.keep(&mut open, span.during(from, to));
    }

    fn keep(&self, open: &mut Open, span: Span) {
        open.spans.push(span);
        if open.spans.len() >= MOST_KEPT {
            self.tracer.export(std::mem::take(&mut open.spans));
        }
    }

    fn close_turn(&self, open: &mut Open, to: u64) {
        if let Some((turn, from)) = open.turn.take() {
            let id = self.turn_id(turn);
            let span = Span::new(
                self.place,
                id,
                false,
                format!("turn {turn}"),
                Kind::Internal,
            )
            .during(from, to)
            .number(semconv::TURN, turn.into());
            open.mark = to;
            self.keep(open, span);
        }
    }

    /// The open turn has ended, or was interrupted.
    pub(crate) fn turn_ended(&self) {
        let now = self.now();
        self.close_turn(&mut self.lock(), now);
    }

    /// The run has failed. If that was a model call, it had begun after what was committed last.
    pub(crate) fn failed(&self, turn: u32, kind: ErrorKind) {
        let now = self.now();
        let mut open = self.lock();
        open.error = Some(kind.as_str());
        if let (true, Some((provider, model))) = (is_of_a_model(kind), &self.model) {
            let from = open.mark;
            self.close_turn(&mut open, from);
            open.turn = Some((turn, from));
            let chat = self.chat(turn, provider, model).during(from, now);
            self.keep(&mut open, chat.failed(kind.as_str()));
        }
    }

    /// The `traceparent` of the tasks that it spawns.
    pub(crate) fn of_children(&self) -> String {
        self.task_place.to_string()
    }

    /// The run has ended in this way.
    pub(crate) fn end(&self, outcome: &'static str) {
        let now = self.now();
        let mut open = self.lock();
        self.close_turn(&mut open, now);
        let mut attempt = self
            .attempt_span
            .clone()
            .during(self.claimed_ns, now)
            .text(semconv::OUTCOME, outcome);
        if let Some(error) = open.error {
            attempt = attempt.failed(error);
        } else if outcome == "lost" {
            attempt = attempt.failed("lease_lost");
        }
        open.spans.push(attempt);
        open.spans.extend(self.before.iter().cloned());
        self.tracer.export(std::mem::take(&mut open.spans));
    }
}

/// Id of a call, whichever attempt runs it: what another one runs again is the same call.
fn call_id(task: &TaskId, call: &str) -> SpanId {
    SpanId::of(&[task.as_str(), call, "call"])
}

/// The span of a child: the moment in which it was enqueued. Whoever tells of it tells the same.
fn child(record: &TaskRecord, parent: &TaskId, given: TraceContext) -> Span {
    let id = SpanId::of(&[record.id.as_str(), "task"]);
    let at = u64::try_from(record.created_ms).unwrap_or(0) * 1_000_000;
    let name = format!("enqueue {}", record.agent);
    let span = Span::new(given, id, false, name, Kind::Producer)
        .during(at, at)
        .text(semconv::AGENT_NAME, record.agent.as_str())
        .text(semconv::TASK_ID, record.id.as_str())
        .text(semconv::PARENT_TASK, parent.as_str());
    match record.call.as_deref().map(str::parse) {
        Some(Ok(WaitKey::Child(call, _))) => span
            .linked(call_id(parent, &call))
            .text(semconv::TOOL_CALL_ID, call),
        _ => span,
    }
}

/// What a model or its place says; all others come from the run itself.
const fn is_of_a_model(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::LimitExceeded
            | ErrorKind::OutputInvalid
            | ErrorKind::TooLarge
            | ErrorKind::JournalUnavailable
            | ErrorKind::ToolsUnavailable
    )
}

fn text_part(text: &str) -> Value {
    json!({ "type": "text", "content": text })
}

/// What clients have said, as the conventions have it.
fn input(entries: &[Entry]) -> String {
    let message =
        |role: Value, content: &str| json!({ "role": role, "parts": [text_part(content)] });
    let mut said = Vec::new();
    for entry in entries {
        match entry {
            Entry::Input {
                messages, query, ..
            } => {
                said.extend(messages.iter().map(|m| message(json!(m.role), &m.content)));
                said.extend(query.iter().map(|query| message(json!("user"), query)));
            }
            Entry::Steer { role, content } => said.push(message(json!(role), content)),
            _ => {}
        }
    }
    Value::Array(said).to_string()
}

/// What a model has said, as the conventions have it.
fn output(message: &Message) -> String {
    let mut parts = Vec::new();
    if !message.content().is_empty() {
        parts.push(text_part(message.content()));
    }
    parts.extend(message.tool_calls().iter().map(|call| {
        json!({ "type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments })
    }));
    json!([{ "role": "assistant", "parts": parts }]).to_string()
}
