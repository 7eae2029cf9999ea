//! The turn loop.
//!
//! One [`Drive`] lives as long as one run. Invariant: nothing is done before what it rests on is committed: a reply
//! before its tools run, a result before the model sees it. The future can be dropped at any point.

use std::{future::pending, sync::Arc};

use tokio::time::{Instant, sleep_until, timeout};

use super::{
    LlmAgent,
    arrange::{Arranged, OpenTurn, arrange},
    ids, judge,
    judge::Verdict,
    plan::Plan,
    toolbox::Toolbox,
    waits::Waits,
};
use crate::{
    BoundaryReason, Completion, ErrorKind, Failure, Message, ModelReply, ModelRequest, NewWait,
    Output, Run, RunEnd, Spent, ToolSet, TurnRecord,
};

/// The state of one run.
pub(super) struct Drive<'a> {
    pub(super) agent: &'a LlmAgent,
    pub(super) run: Run<'a>,
    pub(super) messages: Vec<Message>,
    pub(super) open: Option<OpenTurn>,
    pub(super) tools: Toolbox<'a>,
    pub(super) waits: Waits,
    pub(super) spent: Spent,
    /// Interrupts that were raised before steering was last taken.
    pub(super) seen: u64,
    pub(super) deadline: Option<Instant>,
}

/// `Err` is how the run ends.
pub(super) type Step<T> = Result<T, RunEnd>;

impl<'a> Drive<'a> {
    /// `served`: the tools of the agent's servers.
    pub(super) fn new(
        agent: &'a LlmAgent,
        mut run: Run<'a>,
        served: Vec<Arc<ToolSet>>,
    ) -> Step<Self> {
        let tools = Toolbox::new(&agent.tools, served, &run.caller_tools).map_err(|problem| {
            let turn = run.turns_done.saturating_add(1);
            let message = format!("a tool of the caller cannot be used: {problem}");
            RunEnd::Failed(Failure::new(ErrorKind::BadRequest, turn, message))
        })?;
        let waits = Waits::new(std::mem::take(&mut run.waits));
        let Arranged { messages, open } = arrange(std::mem::take(&mut run.conversation));
        let spent = Spent {
            turns: run.turns_done,
            usage: run.usage_so_far,
            tool_calls: run.tool_calls_done,
            cost_usd_micros: run.cost_so_far_usd_micros,
            tree_usage: run.tree_usage,
            tree_cost_usd_micros: run.tree_cost_usd_micros,
        };
        let deadline = run
            .wall_remaining
            .and_then(|left| Instant::now().checked_add(left));
        // The signals are as old as the lease, so whatever was raised since then may not be in the conversation.
        Ok(Self {
            agent,
            run,
            messages,
            open,
            tools,
            waits,
            spent,
            seen: 0,
            deadline,
        })
    }

    pub(super) async fn run_to_end(&mut self) -> RunEnd {
        let mut resumed = true;
        loop {
            match self.step(resumed).await {
                Ok(()) => resumed = false,
                Err(end) => return end,
            }
        }
    }

    /// One turn. Most of its time a run waits for its model: what comes before and after that is in boxes, which are gone
    /// meanwhile.
    async fn step(&mut self, resumed: bool) -> Step<()> {
        Box::pin(self.begin(resumed)).await?;
        let reply = self.ask().await?;
        Box::pin(self.end(reply)).await
    }

    /// The rest of an open turn, and what must be so before the model is asked.
    async fn begin(&mut self, resumed: bool) -> Step<()> {
        if resumed && self.run.signals.drain().is_cancelled() {
            return Err(RunEnd::HandBack);
        }
        if let Some(open) = self.open.take() {
            // The commit of its last result takes the steering that waits.
            self.tools(open, resumed).await?;
        } else if resumed && self.run.steering_waits {
            self.take_steering(BoundaryReason::Resumed).await?;
        }
        if self.run.signals.drain().is_cancelled() {
            return Err(RunEnd::HandBack);
        }
        if let Some(limit) = self.run.limits.exhausted_by(&self.spent) {
            return Err(self.limit(limit));
        }
        let repair = judge::missing_repair(&self.messages, self.agent.output.as_ref());
        self.messages.extend(repair);
        Ok(())
    }

    /// Commits the reply, or takes the steering that interrupted it.
    async fn end(&mut self, reply: Option<ModelReply>) -> Step<()> {
        match reply {
            Some(reply) => self.commit(reply).await,
            None => self.take_steering(BoundaryReason::Interrupted).await,
        }
    }

    /// The turn that is under way, counted from 1.
    pub(super) fn turn(&self) -> u32 {
        self.spent.turns.saturating_add(1)
    }

    /// One model call; `None` when it was interrupted.
    async fn ask(&self) -> Step<Option<ModelReply>> {
        let (turn, journal, definition) = (self.turn(), self.run.journal, &self.agent.definition);
        let choice = definition.settings.tool_choice.as_ref();
        let choice = choice.and_then(|choice| choice.in_turn(turn));
        let request = ModelRequest {
            task_id: self.run.task_id,
            instructions: &definition.instructions,
            messages: &self.messages,
            tools: self.tools.specs(),
            settings: &definition.settings,
            tool_choice: choice.as_ref(),
            output: self.agent.output.as_ref(),
            timeout: self.run.turn_timeout,
        };
        let mut deltas = |text: &str| {
            if !text.is_empty() {
                journal.delta(turn, text);
            }
        };
        let call = timeout(
            self.run.turn_timeout,
            self.agent.model.call(&request, &mut deltas),
        );
        tokio::select! {
            biased;
            () = self.run.signals.interrupted_since(self.seen) => Ok(None),
            () = at(self.deadline) => Err(self.wall()),
            reply = call => match reply {
                Ok(Ok(reply)) => Ok(Some(reply)),
                Ok(Err(error)) => Err(self.model_failed(error)),
                Err(_) => {
                    let message = format!("no whole reply within the turn timeout of {} s", self.run.turn_timeout.as_secs_f64());
                    Err(self.fail(ErrorKind::Timeout, message))
                }
            },
        }
    }

    async fn commit(&mut self, mut reply: ModelReply) -> Step<()> {
        ids::make_unique(&mut reply.tool_calls, &self.messages, self.turn());
        let repaired = judge::is_repaired(&self.messages);
        match judge::judge(&reply, self.agent.output.as_ref(), repaired) {
            Verdict::Tools => {
                let waits = self.first_waits(&reply);
                let record = TurnRecord {
                    waits: waits.clone(),
                    ..self.record(&reply, None)
                };
                self.run
                    .journal
                    .reply(record)
                    .await
                    .map_err(|error| self.journal_failed(&error))?;
                self.committed(&reply);
                for wait in waits {
                    self.waits.opened(wait, &self.agent.version);
                }
                self.open = Some(OpenTurn::new(reply.tool_calls));
                Ok(())
            }
            Verdict::Repair(repair) => {
                let record = self.record(&reply, Some(repair.clone()));
                self.run
                    .journal
                    .reply(record)
                    .await
                    .map_err(|error| self.journal_failed(&error))?;
                self.committed(&reply);
                self.messages.push(repair);
                self.take_steering(BoundaryReason::Repair).await
            }
            Verdict::Final(output) => self.complete(&reply, output).await,
            Verdict::Fail(kind, message) => {
                let failure = Failure {
                    uncommitted_usage: reply.usage,
                    ..Failure::new(kind, self.turn(), message)
                };
                Err(RunEnd::Failed(failure))
            }
        }
    }

    /// What the calls of a reply wait for before anything else.
    fn first_waits(&self, reply: &ModelReply) -> Vec<NewWait> {
        let mut spent = self.spent;
        spent.add_calls(reply.tool_calls.len());
        if self.run.limits.tool_calls_exceeded_by(&spent).is_some() {
            return Vec::new();
        }
        let reachable = |call: &str| self.run.journal.callback_url(call).is_some();
        let view = self.view(&self.waits, false, &reachable);
        let first = |call| match view.plan(call) {
            Plan::Register { wait, .. } => Some(wait),
            _ => None,
        };
        reply.tool_calls.iter().filter_map(first).collect()
    }

    async fn complete(&mut self, reply: &ModelReply, output: Output) -> Step<()> {
        let record = self.record(reply, None);
        let seen = self.run.signals.interrupts();
        match self
            .run
            .journal
            .complete(record, output)
            .await
            .map_err(|error| self.journal_failed(&error))?
        {
            Completion::Done => Err(RunEnd::Completed),
            Completion::Continue(steering) => {
                self.seen = seen;
                self.committed(reply);
                self.messages.extend(steering);
                Ok(())
            }
        }
    }

    async fn take_steering(&mut self, reason: BoundaryReason) -> Step<()> {
        // Noted before the journal is asked: an interrupt that comes meanwhile may be for a message that comes too late.
        let seen = self.run.signals.interrupts();
        let steering = self
            .run
            .journal
            .boundary(reason)
            .await
            .map_err(|error| self.journal_failed(&error))?;
        self.seen = seen;
        self.messages.extend(steering);
        Ok(())
    }
}

/// Waits for a point in time, or for ever without one.
pub(super) async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}
