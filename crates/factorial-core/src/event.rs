//! Events, as they are stored: `<ms> <attempt> <turn> <type> <data>`, one text each; the type is a code for what
//! comes with every turn, else the name. `seq` counts from 1; the first
//! event of a task is its record, so the list holds those from 2 on.

use serde_json::{Value, value::RawValue};

use crate::{error::StoreError, task::TaskState};

/// What can happen to a task. Names are a promise to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A turn was begun: the model's reply was asked for again or for the first time.
    TurnStarted,
    /// A turn's reply and all its tool results are committed.
    TurnCompleted,
    /// The model replied; data has model, usage and durations.
    CompletionCompleted,
    /// Text of the reply as it comes.
    CompletionChunk,
    /// The open model call was aborted by steering.
    CompletionInterrupted,
    /// A tool call was started.
    ToolStarted,
    /// A tool call gave a result.
    ToolCompleted,
    /// A tool call gave an error.
    ToolFailed,
    /// A tool call needs a yes before it is made.
    ApprovalRequested,
    /// A tool call is answered from outside.
    ToolDeferred,
    /// The agent's output.
    Output,
    /// A limit ended the run.
    LimitReached,
}

impl EventType {
    const ALL: [Self; 12] = [
        Self::TurnStarted,
        Self::TurnCompleted,
        Self::CompletionCompleted,
        Self::CompletionChunk,
        Self::CompletionInterrupted,
        Self::ToolStarted,
        Self::ToolCompleted,
        Self::ToolFailed,
        Self::ApprovalRequested,
        Self::ToolDeferred,
        Self::Output,
        Self::LimitReached,
    ];

    /// What is stored: short for what comes with every turn. Events with other names are stored with these.
    fn code(self) -> &'static str {
        match self {
            Self::TurnStarted => "ts",
            Self::TurnCompleted => "tc",
            Self::CompletionCompleted => "cc",
            Self::CompletionChunk => "ck",
            Self::CompletionInterrupted => "ci",
            Self::ToolStarted => "as",
            Self::ToolCompleted => "ac",
            Self::ToolFailed => "af",
            rare => rare.as_str(),
        }
    }

    /// The name of what is stored.
    fn name(code: &str) -> &str {
        let known = Self::ALL.into_iter().find(|t| t.code() == code);
        known.map_or(code, |t| t.as_str())
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TurnStarted => "progress_update_run_turn_started",
            Self::TurnCompleted => "progress_update_run_turn_completed",
            Self::CompletionCompleted => "progress_update_completion_completed",
            Self::CompletionChunk => "progress_update_completion_chunk",
            Self::CompletionInterrupted => "progress_update_completion_interrupted",
            Self::ToolStarted => "progress_update_tool_action_started",
            Self::ToolCompleted => "progress_update_tool_action_completed",
            Self::ToolFailed => "progress_update_tool_action_failed",
            Self::ApprovalRequested => "approval_requested",
            Self::ToolDeferred => "tool_call_deferred",
            Self::Output => "agent_output",
            Self::LimitReached => "run_limit_reached",
        }
    }
}

/// An event to be appended; Redis adds time, attempt and `seq`.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened.
    pub event_type: EventType,
    /// In which turn.
    pub turn: u32,
    /// What else is known; a JSON object.
    pub data: Value,
}

impl NewEvent {
    /// An event of a turn; `data` is a JSON object.
    #[must_use]
    pub fn new(event_type: EventType, turn: u32, data: Value) -> Self {
        Self {
            event_type,
            turn,
            data,
        }
    }

    pub(crate) fn push_args(&self, args: &mut Vec<String>) {
        let code = self.event_type.code();
        args.push(format!("{} {code} {}", self.turn, self.data));
    }
}

/// An event of a task.
#[derive(Clone, Debug)]
pub struct Event {
    /// Place in the log, from 1, without gaps.
    pub seq: u64,
    /// When, ms since the Unix epoch, by Redis.
    pub at_ms: i64,
    /// Turn; 0 before the first.
    pub turn: u32,
    /// Attempt; 0 before the first.
    pub attempt: u32,
    /// What happened.
    pub event_type: String,
    /// A JSON object.
    pub data: Box<RawValue>,
}

impl Event {
    /// The event ends the run of its task, or its batch.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self.event_type.as_str(),
            "run_completed"
                | "run_failed"
                | "run_cancelled"
                | "batch_completed"
                | "batch_cancelled"
        )
    }

    /// The first event of every task: it was accepted. It is not stored, since the record says it all.
    pub(crate) fn enqueued(at_ms: i64, delayed: bool) -> Result<Self, StoreError> {
        let state = if delayed {
            TaskState::Scheduled
        } else {
            TaskState::Queued
        };
        let data = RawValue::from_string(format!(r#"{{"status":"{state}"}}"#))
            .map_err(|e| StoreError::corrupt("event", e.to_string()))?;
        Ok(Self {
            seq: 1,
            at_ms,
            turn: 0,
            attempt: 0,
            event_type: "task_enqueued".to_owned(),
            data,
        })
    }

    pub(crate) fn decode(seq: u64, stored: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::corrupt("event", format!("seq {seq}"));
        let mut parts = stored.splitn(5, ' ');
        let mut part = || parts.next().ok_or_else(bad);
        let at_ms = part()?.parse().map_err(|_| bad())?;
        let attempt = part()?.parse().map_err(|_| bad())?;
        let turn = part()?.parse().map_err(|_| bad())?;
        let event_type = EventType::name(part()?).to_owned();
        let data = RawValue::from_string(part()?.to_owned()).map_err(|_| bad())?;
        Ok(Self {
            seq,
            at_ms,
            turn,
            attempt,
            event_type,
            data,
        })
    }
}
