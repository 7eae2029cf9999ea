//! Gives an answer to the store, and says what became of it.

use factorial_api::{AnswerResponse, ToolCallOutcome};
use factorial_core::{
    Answer, AnswerOutcome, OwnerId, TaskId, TaskState, WaitKey, WaitKind, WaitOutcome,
};
use factorial_service::{ApiError, ErrorKind};
use serde_json::{Value, json};

use super::bounds::require_small;
use crate::{
    app::AppState,
    convert,
    ownership::owned,
    refusal::{finished, no_call, no_task, store_error},
};

/// An answer that is acceptable in itself.
pub(crate) struct Given {
    pub(crate) outcome: ToolCallOutcome,
    pub(crate) payload: Value,
    /// Who answers, for the record.
    pub(crate) by: Option<String>,
    /// Only if the task is this owner's.
    pub(crate) owner: Option<OwnerId>,
}

/// Answers a call: by result or error one that asks for that, by yes or no one that asks for an approval.
///
/// # Errors
/// When it is too large, is not awaited, or another answer came before.
pub(crate) async fn give(
    app: &AppState,
    id: TaskId,
    call: String,
    given: Given,
) -> Result<AnswerResponse, ApiError> {
    require_small(&given.payload)?;
    let approval = matches!(
        given.outcome,
        ToolCallOutcome::Approved | ToolCallOutcome::Denied
    );
    let (key, kinds): (_, &[WaitKind]) = if approval {
        (WaitKey::Approval(call.clone()), &[WaitKind::Approval])
    } else {
        let kinds = &[WaitKind::Caller, WaitKind::Operator];
        (WaitKey::Call(call.clone()), kinds)
    };
    let answer = Answer {
        key: &key,
        kinds,
        outcome: convert::wait_outcome(given.outcome),
        payload: &given.payload,
        by: given.by.map_or_else(|| json!({}), |by| json!({"by": by})),
        owner: given.owner.as_ref(),
        token: None,
    };
    let outcome = app.store.answer(&id, &answer).await.map_err(store_error)?;
    let (state, replayed) = match outcome {
        AnswerOutcome::Answered(state) => (state, false),
        AnswerOutcome::Replayed => (state_of(app, &id, given.owner.as_ref()).await?, true),
        AnswerOutcome::Conflict(first) => return Err(too_late(first)),
        AnswerOutcome::Unknown => return Err(no_call()),
        AnswerOutcome::Finished(state) => return Err(finished(state)),
        AnswerOutcome::NotFound => return Err(no_task()),
    };
    Ok(AnswerResponse {
        task_id: id.into(),
        call_id: call,
        outcome: given.outcome,
        replayed,
        task_status: convert::status(state),
    })
}

async fn state_of(
    app: &AppState,
    id: &TaskId,
    owner: Option<&OwnerId>,
) -> Result<TaskState, ApiError> {
    let record = app.store.task(id).await.map_err(store_error)?;
    Ok(owned(record, owner)?.state)
}

/// Another answer came first, or none in time.
fn too_late(first: WaitOutcome) -> ApiError {
    let (kind, detail) = match first {
        WaitOutcome::Timeout => (ErrorKind::ToolCallClosed, "its time was up".to_owned()),
        WaitOutcome::Interrupted => (
            ErrorKind::ToolCallClosed,
            "the task was interrupted while it waited".to_owned(),
        ),
        WaitOutcome::Closed => (
            ErrorKind::ToolCallClosed,
            "the task ended while it waited".to_owned(),
        ),
        first => (
            ErrorKind::ToolCallAnswered,
            format!("another answer came first: {first}"),
        ),
    };
    ApiError::new(kind).with_detail(detail)
}
