//! A committed reply: its entries, totals and events, and what it adds to the metrics.

use std::time::Duration;

use factorial_agent::TurnRecord;
use factorial_core::{Commit, Entry, EventType, NewEvent, Usage};
use metrics::{counter, histogram};
use serde_json::{Map, Value, json};

use super::{StoreJournal, Written};
use crate::{convert, metrics as names};

impl StoreJournal {
    /// Entries, totals and events of a reply.
    pub(super) fn turn_commit(
        &self,
        written: &mut Written,
        turn: TurnRecord,
    ) -> (Commit, ModelCall) {
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

        let mut events: Vec<NewEvent> = self.deltas.take().into_iter().collect();
        self.start_turn(written, turn.turn, &mut events);
        events.push(NewEvent::new(
            EventType::CompletionCompleted,
            turn.turn,
            completion_data(&turn),
        ));
        let calls = turn.message.tool_calls().iter();
        let tool_of = calls.map(|c| (c.id.clone(), c.name.clone())).collect();
        written.note_reply(turn.turn, tool_of);
        let (waits, asked) =
            self.new_waits(&turn.waits, written.reply_at, turn.turn, &written.tool_of);
        // A call that waits has not started.
        let waiting = |id: &str| turn.waits.iter().any(|w| w.key.call_id() == id);
        let started = turn.message.tool_calls().iter();
        for call in started.filter(|call| !waiting(&call.id)) {
            let data = json!({ "tool": call.name, "call_id": call.id });
            events.push(NewEvent::new(EventType::ToolStarted, turn.turn, data));
        }
        events.extend(asked);
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
            waits,
            ..Commit::default()
        };
        (commit, call)
    }
}

/// What a committed model call adds to the metrics; a call that was not committed adds nothing.
pub(super) struct ModelCall {
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

    pub(super) fn count(self, agent: &str) {
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

/// What is known of a model call; what is zero or unknown is left out, for it is kept with every turn.
fn completion_data(turn: &TurnRecord) -> Value {
    let mut usage = Map::new();
    for (name, tokens) in [
        ("input_tokens", turn.usage.input),
        ("cached_input_tokens", turn.usage.cached_input),
        ("output_tokens", turn.usage.output),
        ("reasoning_tokens", turn.usage.reasoning),
    ] {
        if tokens > 0 {
            usage.insert(name.to_owned(), tokens.into());
        }
    }
    let mut data = json!({
        "model": turn.model,
        "provider": turn.provider,
        "finish_reason": turn.finish_reason,
        "duration_ms": turn.duration_ms,
        "time_to_first_token_ms": turn.ttft_ms,
        "usage": usage,
    });
    if let Some(id) = &turn.provider_response_id {
        data["response_id"] = id.as_str().into();
    }
    if turn.tool_calls > 0 {
        data["tool_calls"] = turn.tool_calls.into();
    }
    if let Some(cost) = turn.cost_usd_micros {
        data["cost_usd_micros"] = cost.into();
    }
    data
}
