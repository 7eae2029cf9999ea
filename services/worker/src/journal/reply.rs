//! A committed reply: its entries, totals and events, and what it adds to the metrics.

use std::time::Duration;

use factorial_agent::TurnRecord;
use factorial_core::{Commit, Entry, EventType, NewEvent, Usage};
use metrics::{counter, histogram};
use serde_json::{Value, json};

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
        for call in turn.message.tool_calls() {
            let data = json!({ "tool": call.name, "call_id": call.id });
            events.push(NewEvent::new(EventType::ToolStarted, turn.turn, data));
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
