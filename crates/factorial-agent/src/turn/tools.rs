//! The tools of a turn.
//!
//! A part of the turn loop. Invariant: each result is committed by itself, and the last one takes the steering.

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    arrange::OpenTurn,
    books::millis,
    drive::{Drive, Step, at},
};
use crate::{
    JournalError, Message, ToolCall, ToolContext, ToolError, ToolErrorKind, ToolRecord,
    tool::Outcome,
};

impl Drive<'_> {
    /// Runs what is outstanding of a turn, all at once, and commits each result as it comes.
    pub(super) async fn tools(&mut self, mut open: OpenTurn, resumed: bool) -> Step<()> {
        if let Some(limit) = self.run.limits.tool_calls_exceeded_by(&self.spent) {
            return Err(self.limit(limit));
        }
        let calls = open.outstanding();
        let mut left = calls.len();
        let mut steering = Vec::new();
        {
            let this = &*self;
            let mut running: FuturesUnordered<_> = calls
                .iter()
                .map(|call| this.run_tool(call, resumed))
                .collect();
            while left > 0 {
                let record = tokio::select! {
                    biased;
                    () = at(this.deadline) => return Err(this.wall()),
                    record = running.next() => match record {
                        Some(record) => record,
                        None => break,
                    },
                };
                left -= 1;
                let (record, taken) = this.commit_result(record, left == 0).await?;
                steering.extend(taken);
                open.done.insert(record.call_id.clone(), record.message());
            }
        }
        self.messages.extend(open.close());
        self.messages.extend(steering);
        Ok(())
    }

    async fn commit_result(
        &self,
        mut record: ToolRecord,
        boundary: bool,
    ) -> Step<(ToolRecord, Vec<Message>)> {
        match self.run.journal.tool_result(record.clone(), boundary).await {
            Err(JournalError::TooLarge(_)) => {
                let error = ToolError::new(
                    ToolErrorKind::TooLarge,
                    "the result is too large to be kept",
                );
                let outcome = Outcome::from(error);
                (record.content, record.error_kind, record.is_error) =
                    (outcome.content, outcome.error, true);
                let taken = self.run.journal.tool_result(record.clone(), boundary).await;
                taken
                    .map(|taken| (record, taken))
                    .map_err(|error| self.journal_failed(&error))
            }
            taken => taken
                .map(|taken| (record, taken))
                .map_err(|error| self.journal_failed(&error)),
        }
    }

    async fn run_tool(&self, call: &ToolCall, resumed: bool) -> ToolRecord {
        let started = Instant::now();
        let outcome = if resumed && self.agent.tools.at_most_once(&call.name) {
            let message =
                "the call was interrupted; it may have taken effect and is not made again";
            ToolError::new(ToolErrorKind::UnknownOutcome, message).into()
        } else {
            let ctx = ToolContext {
                task_id: self.run.task_id.to_owned(),
                call_id: call.id.clone(),
                idempotency_key: format!("{}/{}", self.run.task_id, call.id),
                agent: self.agent.definition.name.to_string(),
                owner: self.run.owner.to_owned(),
                turn: self.spent.turns,
                context: self.run.context.clone(),
            };
            self.agent.tools.run(call, ctx, self.run.turn_timeout).await
        };
        ToolRecord {
            turn: self.spent.turns,
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: outcome.content,
            is_error: outcome.error.is_some(),
            error_kind: outcome.error,
            duration_ms: millis(started.elapsed()),
        }
    }
}
