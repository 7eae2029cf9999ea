//! What a run has spent, and how it ends.
//!
//! A part of the turn loop. Invariant: only what is committed counts as spent.

use std::time::Duration;

use tokio::time::Instant;

use super::drive::Drive;
use crate::{
    ErrorKind, Failure, JournalError, Limits, Message, ModelError, ModelReply, RunEnd, TurnRecord,
};

impl Drive<'_> {
    pub(super) fn record(&self, reply: &ModelReply, repair: Option<Message>) -> TurnRecord {
        TurnRecord {
            turn: self.turn(),
            message: message(reply),
            repair,
            usage: reply.usage,
            model: reply.model.clone(),
            provider: reply.provider.clone(),
            provider_response_id: reply.provider_response_id.clone(),
            cost_usd_micros: self.cost(reply),
            duration_ms: millis(reply.duration),
            ttft_ms: millis(reply.time_to_first_token),
            finish_reason: reply.finish_reason,
            tool_calls: u32::try_from(reply.tool_calls.len()).unwrap_or(u32::MAX),
            waits: Vec::new(),
        }
    }

    fn cost(&self, reply: &ModelReply) -> Option<u64> {
        self.agent
            .definition
            .prices
            .get(&reply.model)
            .map(|price| price.cost_usd_micros(&reply.usage))
    }

    /// Takes a committed reply into account.
    pub(super) fn committed(&mut self, reply: &ModelReply) {
        self.messages.push(message(reply));
        self.spent.turns = self.spent.turns.saturating_add(1);
        self.spent.usage += reply.usage;
        self.spent.add_calls(reply.tool_calls.len());
        self.spent.cost_usd_micros = self
            .spent
            .cost_usd_micros
            .saturating_add(self.cost(reply).unwrap_or(0));
    }

    /// What children may use.
    pub(super) fn left(&self) -> Limits {
        let wall = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        self.run.limits.left(&self.spent, wall)
    }

    pub(super) fn fail(&self, kind: ErrorKind, message: impl Into<String>) -> RunEnd {
        RunEnd::Failed(Failure::new(kind, self.turn(), message))
    }

    pub(super) fn limit(&self, message: String) -> RunEnd {
        self.fail(ErrorKind::LimitExceeded, message)
    }

    pub(super) fn wall(&self) -> RunEnd {
        let limit = self
            .run
            .limits
            .max_wall_seconds
            .map_or_else(String::new, |seconds| format!(" ({seconds})"));
        self.limit(format!("max_wall_seconds{limit} reached"))
    }

    pub(super) fn model_failed(&self, error: ModelError) -> RunEnd {
        let failure = Failure::new(error.kind, self.turn(), error.message);
        RunEnd::Failed(Failure {
            status: error.status,
            retry_after: error.retry_after,
            ..failure
        })
    }

    pub(super) fn journal_failed(&self, error: &JournalError) -> RunEnd {
        match error {
            JournalError::Lost => RunEnd::Lost,
            JournalError::Unavailable(_) => {
                self.fail(ErrorKind::JournalUnavailable, error.to_string())
            }
            JournalError::TooLarge(_) => self.fail(ErrorKind::TooLarge, error.to_string()),
        }
    }
}

fn message(reply: &ModelReply) -> Message {
    Message::Assistant {
        content: reply.text.clone(),
        tool_calls: reply.tool_calls.clone(),
        reasoning: reply.reasoning.clone(),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
