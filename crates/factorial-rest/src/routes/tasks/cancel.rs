//! `POST /v1/tasks/{id}/cancel`

use axum::{Json, extract::State};
use factorial_api::{CancelRequest, Task};
use factorial_core::{CancelOutcome, TaskState};
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::{OptionalJson, TaskInPath},
    refusal::{finished, invalid, no_task, store_error},
    submission::most_text,
};

/// Most characters of a reason.
pub(super) const LONGEST_REASON: usize = 500;

/// Cancels a task and all its descendants.
///
/// It is cancelled when this is answered; cancelling it again is no error.
#[utoipa::path(
    post, path = "/tasks/{id}/cancel", tag = "tasks",
    params(("id" = String, Path, description = "Id of the task")),
    request_body = Option<CancelRequest>,
    responses((status = 200, description = "The task, cancelled", body = Task)),
    extensions(("x-problem-codes" = json!(["task_not_found", "task_finished"]))),
)]
pub(crate) async fn cancel_task(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
    OptionalJson(request): OptionalJson<CancelRequest>,
) -> Result<Json<Task>, ApiError> {
    let reason = request.reason.as_deref();
    if reason.is_some_and(|text| !most_text(text, LONGEST_REASON)) {
        return Err(invalid("/reason", "must be at most 500 characters"));
    }
    match app.store.cancel(&id, reason).await.map_err(store_error)? {
        CancelOutcome::Cancelled | CancelOutcome::Finished(TaskState::Cancelled) => {}
        CancelOutcome::Finished(state) => return Err(finished(state)),
        CancelOutcome::NotFound => return Err(no_task()),
    }
    let record = app.store.task(&id).await.map_err(store_error)?;
    Ok(Json(convert::task(record.ok_or_else(no_task)?)))
}
