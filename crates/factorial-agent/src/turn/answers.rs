//! What the model is told about an answer.
//!
//! Pure; called by the plan of a turn.

use serde_json::Value;

use crate::{
    WaitOutcome,
    tool::{Outcome, ToolErrorKind},
};

/// The result of a deferred call.
pub(super) fn of_call(outcome: WaitOutcome, payload: &Value) -> Outcome {
    match outcome {
        WaitOutcome::Result => Outcome::ok(text(payload)),
        WaitOutcome::Error => {
            let message = said(payload, "message").unwrap_or("no reason was given");
            Outcome::error(ToolErrorKind::DeferredError, message)
        }
        other => ended(other),
    }
}

/// The result of a call that got no yes.
pub(super) fn of_refusal(outcome: WaitOutcome, payload: &Value) -> Outcome {
    match outcome {
        WaitOutcome::Denied => {
            let message = match said(payload, "reason") {
                Some(reason) => format!("the call was not approved: {reason}"),
                None => "the call was not approved".to_owned(),
            };
            Outcome::error(ToolErrorKind::Denied, message)
        }
        WaitOutcome::Timeout => {
            Outcome::error(ToolErrorKind::Timeout, "nobody approved the call in time")
        }
        other => ended(other),
    }
}

/// What a wait that ended without a word of whoever was asked gives.
pub(super) fn ended(outcome: WaitOutcome) -> Outcome {
    let (kind, message) = match outcome {
        WaitOutcome::Timeout => (ToolErrorKind::Timeout, "there was no answer in time"),
        WaitOutcome::Interrupted => (
            ToolErrorKind::Interrupted,
            "a new message came before the answer, which is not waited for any more",
        ),
        WaitOutcome::Closed => (
            ToolErrorKind::Closed,
            "the task ended before the answer came, and was started again",
        ),
        WaitOutcome::Completed
        | WaitOutcome::Failed
        | WaitOutcome::Cancelled
        | WaitOutcome::Result
        | WaitOutcome::Error
        | WaitOutcome::Approved
        | WaitOutcome::Denied => (
            ToolErrorKind::Failed,
            "the answer does not fit what was asked",
        ),
    };
    Outcome::error(kind, message)
}

/// A string as it is, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text of the payload, unless it is blank.
pub(super) fn said<'a>(payload: &'a Value, key: &str) -> Option<&'a str> {
    let text = payload.get(key)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}
