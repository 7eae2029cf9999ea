//! A committed reply: its entries, totals and events, and what it adds to the metrics.

use std::{sync::Arc, time::Duration};

use factorial_agent::TurnRecord;
use factorial_core::{Commit, Entry, EventType, NewEvent, Spent, Usage};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{StoreJournal, Written};
use crate::{
    convert,
    meters::{Meters, ModelMeters},
};

impl StoreJournal {
    /// Entries, totals and events of a reply.
    pub(super) fn turn_commit(
        &self,
        written: &mut Written,
        turn: TurnRecord,
    ) -> (Commit, ModelCall) {
        let call = ModelCall::of(&turn, &self.meters);
        let usage = Usage {
            input: turn.usage.input,
            cached_input: turn.usage.cached_input,
            output: turn.usage.output,
            reasoning: turn.usage.reasoning,
        };
        written.turn_began = Instant::now().checked_sub(Duration::from_millis(turn.duration_ms));
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
            spent: Some(Spent {
                model: turn.model,
                input: usage.input,
                output: usage.output,
                cost_micros: turn.cost_usd_micros,
            }),
            events,
            waits,
            ..Commit::default()
        };
        (commit, call)
    }
}

/// What a committed model call adds to the metrics; a call that was not committed adds nothing.
pub(super) struct ModelCall {
    meters: Arc<ModelMeters>,
    duration: Duration,
    first_token: Duration,
    tokens: [u64; 4],
    cost_micros: Option<u64>,
}

impl ModelCall {
    fn of(turn: &TurnRecord, meters: &Meters) -> Self {
        let usage = turn.usage;
        Self {
            meters: meters.model(&turn.provider, &turn.model),
            duration: Duration::from_millis(turn.duration_ms),
            first_token: Duration::from_millis(turn.ttft_ms),
            tokens: [
                usage.input,
                usage.cached_input,
                usage.output,
                usage.reasoning,
            ],
            cost_micros: turn.cost_usd_micros,
        }
    }

    pub(super) fn count(self) {
        let meters = &self.meters;
        meters.calls.increment(1);
        meters.seconds.record(self.duration.as_secs_f64());
        meters
            .first_token_seconds
            .record(self.first_token.as_secs_f64());
        for (counter, tokens) in meters.tokens.iter().zip(self.tokens) {
            counter.increment(tokens);
        }
        if let Some(micros) = self.cost_micros {
            meters.spent(micros);
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
