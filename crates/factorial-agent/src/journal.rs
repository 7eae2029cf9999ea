//! The durable side of a run, as the turn loop sees it.
//!
//! Implemented by the worker on the store and by tests in memory; called only by the turn loop, one call at a time but
//! for [`Journal::spawn`].
//! Invariant: when a call returns `Ok`, what it was given is committed and will not be asked for again.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    FinishReason, Message, NewChild, NewWait, Output, ParkedFor, Parking, Spawned, ToolErrorKind,
    Usage, WaitKey,
};

/// One committed model reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// Counted from 1 over all attempts.
    pub turn: u32,
    /// What the model said, always [`Message::Assistant`].
    pub message: Message,
    /// Follows `message` in the conversation when the reply was not usable: what the model is told about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<Message>,
    /// Tokens of this reply.
    pub usage: Usage,
    /// The model as the agent names it.
    pub model: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's id of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_response_id: Option<String>,
    /// Cost in millionths of a US dollar, if the agent has a price for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd_micros: Option<u64>,
    /// Duration of the model call in milliseconds.
    pub duration_ms: u64,
    /// Time to the first token in milliseconds.
    pub ttft_ms: u64,
    /// Why the model stopped.
    pub finish_reason: FinishReason,
    /// How many tool calls the reply asks for.
    pub tool_calls: u32,
    /// What its calls wait for first, registered in the same commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<NewWait>,
}

/// One committed tool result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolRecord {
    /// The turn that asked for it.
    pub turn: u32,
    /// The call that it answers; unique in the task.
    pub call_id: String,
    /// The tool's name, as the model wrote it.
    pub name: String,
    /// What the model gets, at most 256 KiB.
    pub content: String,
    /// Whether `content` tells of an error.
    pub is_error: bool,
    /// Which error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<ToolErrorKind>,
    /// Duration of the call in milliseconds; zero for a result that was waited for.
    pub duration_ms: u64,
    /// The waits whose answers this result tells of: they are taken in the same commit.
    #[serde(skip)]
    pub taken: Vec<WaitKey>,
}

impl ToolRecord {
    /// The message that goes into the conversation.
    #[must_use]
    pub fn message(&self) -> Message {
        Message::Tool {
            call_id: self.call_id.clone(),
            name: self.name.clone(),
            content: self.content.clone(),
            is_error: self.is_error,
        }
    }
}

/// Why a boundary is asked for outside of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundaryReason {
    /// Messages arrived before this attempt, and no turn is open.
    Resumed,
    /// The open model call was aborted; its deltas are void.
    Interrupted,
    /// The last reply was not usable and the model is asked again.
    Repair,
}

/// What became of a reply that ends the run.
#[derive(Debug, Clone, PartialEq)]
pub enum Completion {
    /// The task is completed.
    Done,
    /// Steering arrived; the reply is part of the conversation and these messages follow it.
    Continue(Vec<Message>),
}

/// Why a commit did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The lease is lost or the task has ended: drop everything.
    #[error("lease lost or task ended")]
    Lost,
    /// The store did not answer for so long that the implementor gave up.
    #[error("journal unavailable: {0}")]
    Unavailable(String),
    /// The record is larger than may be stored.
    #[error("record too large: {0}")]
    TooLarge(String),
}

/// Where a run commits what it did.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Commits a reply that asks for tools, before any of them runs, or one that is to be repaired.
    async fn reply(&self, turn: TurnRecord) -> Result<(), JournalError>;

    /// Commits one tool result. `boundary` is true for the last outstanding call of the turn: then steering messages
    /// are returned and are part of the conversation from here.
    async fn tool_result(
        &self,
        result: ToolRecord,
        boundary: bool,
    ) -> Result<Vec<Message>, JournalError>;

    /// Commits the final reply with the output.
    async fn complete(&self, turn: TurnRecord, output: Output) -> Result<Completion, JournalError>;

    /// Registers `waits` in the middle of a turn, and takes the answers of `taken`. A taken key may be registered again
    /// in the same call.
    async fn register(&self, waits: Vec<NewWait>, taken: Vec<WaitKey>) -> Result<(), JournalError>;

    /// Makes a child task, and registers its wait if it is awaited. Repeating it is harmless: the first child is found
    /// again. May be called many times at once, also beside the other calls.
    async fn spawn(&self, child: NewChild) -> Result<Spawned, JournalError>;

    /// The endpoint of a deferred call has refused it: answers the open wait with an error, if nobody has yet.
    async fn settle_error(&self, key: WaitKey, message: String) -> Result<(), JournalError>;

    /// Puts the task aside until what it waits for is there. After [`Parking::Parked`] the lease is gone, and the run
    /// ends with [`crate::RunEnd::Parked`].
    async fn park(&self, parked_for: ParkedFor) -> Result<Parking, JournalError>;

    /// Where the result of a deferred HTTP call is posted; `None` if no public URL is configured. A secret.
    fn callback_url(&self, call_id: &str) -> Option<String>;

    /// The `traceparent` that requests of a call carry; `None`: that of the task.
    fn call_trace(&self, _call_id: &str) -> Option<String> {
        None
    }

    /// Takes steering messages outside of a commit.
    async fn boundary(&self, reason: BoundaryReason) -> Result<Vec<Message>, JournalError>;

    /// A text delta of the open model call of `turn`. Must not block; buffered by the implementor.
    fn delta(&self, turn: u32, text: &str);
}
