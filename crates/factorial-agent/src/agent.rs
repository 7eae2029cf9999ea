//! What a worker can run.
//!
//! The worker builds a [`Run`] from a claimed task and awaits [`Agent::run`]. Dropping that future aborts the open
//! model call and the running tools at once, which is how a cancel or a lost lease is carried out.
//! Invariant: a run changes nothing but through its journal.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use crate::{AgentDefinition, CallerTool, Failure, Journal, Limits, Message, Signals, Usage, Wait};

/// One leased period of a task.
pub struct Run<'a> {
    /// The task's id; part of every idempotency key.
    pub task_id: &'a str,
    /// The task's owner.
    pub owner: &'a str,
    /// The submission's free context, handed to tools.
    pub context: serde_json::Value,
    /// The conversation so far, in commit order. May end in an assistant message of whose tool calls only some have
    /// results: the run resumes there.
    pub conversation: Vec<Message>,
    /// Turns committed in earlier attempts.
    pub turns_done: u32,
    /// Tokens of those turns.
    pub usage_so_far: Usage,
    /// Tool calls that those turns asked for.
    pub tool_calls_done: u32,
    /// Cost of those turns in millionths of a US dollar.
    pub cost_so_far_usd_micros: u64,
    /// Tokens of the descendants that have ended; they count towards the limit of tokens.
    pub tree_usage: Usage,
    /// Their cost in millionths of a US dollar; it counts towards the limit of cost.
    pub tree_cost_usd_micros: u64,
    /// All waits of the task as they are now.
    pub waits: Vec<Wait>,
    /// Tools that the submission has declared.
    pub caller_tools: Vec<CallerTool>,
    /// The trace that the task belongs to: a W3C `traceparent`.
    pub trace: Option<String>,
    /// How many tasks are above this one; 0 for a root task.
    pub depth: u32,
    /// Steering messages wait: they are taken at the first boundary, before the model is asked.
    pub steering_waits: bool,
    /// Limits of the agent tightened by those of the submission, see [`Limits::tightened_by`].
    pub limits: Limits,
    /// What is left of `max_wall_seconds`.
    pub wall_remaining: Option<Duration>,
    /// Bound of one model call, and of each tool call.
    pub turn_timeout: Duration,
    /// The attempt's number, counted from 1.
    pub attempt: u32,
    /// Where the run commits.
    pub journal: &'a dyn Journal,
    /// What the worker says meanwhile.
    pub signals: &'a Signals,
}

impl<'a> Run<'a> {
    /// A first run of a task without limits of its own, with a turn timeout of 120 s.
    #[must_use]
    pub fn new(
        task_id: &'a str,
        owner: &'a str,
        conversation: Vec<Message>,
        journal: &'a dyn Journal,
        signals: &'a Signals,
    ) -> Self {
        Self {
            task_id,
            owner,
            context: Value::Null,
            conversation,
            turns_done: 0,
            usage_so_far: Usage::default(),
            tool_calls_done: 0,
            cost_so_far_usd_micros: 0,
            tree_usage: Usage::default(),
            tree_cost_usd_micros: 0,
            waits: Vec::new(),
            caller_tools: Vec::new(),
            trace: None,
            depth: 0,
            steering_waits: false,
            limits: Limits::default(),
            wall_remaining: None,
            turn_timeout: Duration::from_secs(120),
            attempt: 1,
            journal,
            signals,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEnd {
    /// The journal has the output; the task is completed.
    Completed,
    /// The worker decides between a retry and the end of the task.
    Failed(Failure),
    /// Stopped at a boundary because of a drain; everything done is committed.
    HandBack,
    /// The journal has put the task aside until what it waits for is there; the lease is gone.
    Parked,
    /// The journal said that the lease is lost; nothing more may be written.
    Lost,
}

/// Something that carries a task from its conversation to its output.
#[async_trait]
pub trait Agent: Send + Sync {
    /// What is announced about the agent.
    fn definition(&self) -> &AgentDefinition;

    /// JSON Schemas of the arguments of those tools that may need an approval, by name: whoever approves a call may edit
    /// its arguments.
    fn approval_schemas(&self) -> BTreeMap<String, Value> {
        BTreeMap::new()
    }

    /// Runs until the task is completed, fails, or has to be given back.
    async fn run(&self, run: Run<'_>) -> RunEnd;
}
