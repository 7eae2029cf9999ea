//! Why a task failed, as it is stored.

use serde::{Deserialize, Serialize};

/// A failure. `kind` is one of a closed set: those of [`kind`], and the model's and the turn loop's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable name.
    pub kind: String,
    /// For people; at most 2 KiB.
    pub message: String,
    /// HTTP status of the provider, if it said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// Kinds that Factorial itself gives.
pub mod kind {
    /// The task took down its worker too often.
    pub const POISON: &str = "poison";
    /// A limit of the run was reached.
    pub const LIMIT_EXCEEDED: &str = "limit_exceeded";
    /// The conversation reached its maximum size.
    pub const CONVERSATION_TOO_LARGE: &str = "conversation_too_large";
    /// What is stored of the conversation cannot be read.
    pub const CORRUPT_CONVERSATION: &str = "corrupt_conversation";
}
