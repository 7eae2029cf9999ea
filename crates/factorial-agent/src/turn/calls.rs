//! What runs for the calls of a turn: tools, deferred requests, and the making of children.
//!
//! A part of the turn loop, which polls these beside one another. Nothing is committed here but children.

use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde_json::Value;
use tokio::time::Instant;

use super::{books::millis, drive::Drive};
use crate::{
    JournalError, NewChild, Spawned, ToolCall, ToolContext, ToolError, ToolRecord, WaitKey,
    tool::{Action, Outcome, run},
};

/// Children of one call that are made at once.
const SPAWNS_AT_ONCE: usize = 32;

/// What has come of something that ran for a call.
pub(super) enum Event {
    /// The result of the tool.
    Ran(ToolRecord),
    /// Whether the endpoint took the call on.
    Sent(Result<(), ToolError>),
    /// The children, each with whether it is waited for.
    Spawned(Vec<(WaitKey, bool, Result<Spawned, JournalError>)>),
}

/// Something that runs for the call of this index.
pub(super) type Running<'r> = BoxFuture<'r, (usize, Event)>;

impl Drive<'_> {
    pub(super) fn run_tool(&self, index: usize, call: ToolCall, args: Value) -> Running<'_> {
        async move {
            let started = Instant::now();
            let ctx = self.tool_context(&call, None);
            let bound = self.run.turn_timeout;
            let outcome = match self.tools.get(&call.name).map(|entry| &entry.action) {
                Some(Action::Run(tool)) => run(tool, ctx, args, bound)
                    .await
                    .map_or_else(Outcome::from, Outcome::ok),
                _ => self.tools.unknown(),
            };
            let record = self.result(&call, outcome, millis(started.elapsed()));
            (index, Event::Ran(record))
        }
        .boxed()
    }

    /// Hands a deferred call to its endpoint.
    pub(super) fn send(&self, index: usize, call: ToolCall, args: Value) -> Running<'_> {
        async move {
            let ctx = self.tool_context(&call, self.run.journal.callback_url(&call.id));
            let bound = self.run.turn_timeout;
            let sent = match self.tools.get(&call.name).map(|entry| &entry.action) {
                Some(Action::Send { tool, .. }) => run(tool, ctx, args, bound).await.map(drop),
                _ => Ok(()),
            };
            (index, Event::Sent(sent))
        }
        .boxed()
    }

    pub(super) fn spawn(&self, index: usize, children: Vec<NewChild>) -> Running<'_> {
        async move {
            let made = stream::iter(children).map(|child| async move {
                let key = WaitKey::Child(child.call_id.clone(), child.index);
                let awaited = child.awaited;
                (key, awaited, self.run.journal.spawn(child).await)
            });
            let made = made.buffer_unordered(SPAWNS_AT_ONCE).collect().await;
            (index, Event::Spawned(made))
        }
        .boxed()
    }

    fn tool_context(&self, call: &ToolCall, callback_url: Option<String>) -> ToolContext {
        ToolContext {
            task_id: self.run.task_id.to_owned(),
            call_id: call.id.clone(),
            idempotency_key: format!("{}/{}", self.run.task_id, call.id),
            agent: self.agent.definition.name.to_string(),
            owner: self.run.owner.to_owned(),
            turn: self.spent.turns,
            context: self.run.context.clone(),
            callback_url,
            trace: self
                .run
                .journal
                .call_trace(&call.id)
                .or_else(|| self.run.trace.clone()),
        }
    }

    /// The record of a result; what it takes is added with its commit.
    pub(super) fn result(&self, call: &ToolCall, outcome: Outcome, duration_ms: u64) -> ToolRecord {
        ToolRecord {
            turn: self.spent.turns,
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: outcome.content,
            is_error: outcome.error.is_some(),
            error_kind: outcome.error,
            duration_ms,
            taken: Vec::new(),
        }
    }
}
