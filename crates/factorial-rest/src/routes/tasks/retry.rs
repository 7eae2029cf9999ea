//! `POST /v1/tasks/{id}/retry`

use std::time::Duration;

use axum::{Json, extract::State};
use factorial_api::Task;
use factorial_core::{RetryOutcome, TaskState};
use factorial_service::{ApiError, ErrorKind};

use crate::{
    app::AppState,
    convert,
    extract::TaskInPath,
    refusal::{finished, no_task, store_error},
};

/// Runs a failed or cancelled task again.
///
/// It goes on from its last commit, with its retries restored and its wall-clock limit counted from now.
#[utoipa::path(
    post, path = "/tasks/{id}/retry", tag = "tasks",
    params(("id" = String, Path, description = "Id of the task")),
    responses((status = 200, description = "The task, queued again", body = Task)),
    extensions(("x-problem-codes" = json!(["task_not_found", "task_finished", "task_not_finished", "store_full"]))),
)]
pub(crate) async fn retry_task(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
) -> Result<Json<Task>, ApiError> {
    let record = app.store.task(&id).await.map_err(store_error)?;
    let limits = convert::limits_of(&record.ok_or_else(no_task)?);
    let deadline = limits.and_then(|limits| limits.deadline_seconds);
    let deadline = deadline.map(Duration::from_secs);
    match app.store.retry(&id, deadline).await.map_err(store_error)? {
        RetryOutcome::Queued => {}
        RetryOutcome::NotRetryable(state @ TaskState::Completed) => return Err(finished(state)),
        RetryOutcome::NotRetryable(state) => {
            return Err(ApiError::new(ErrorKind::TaskNotFinished)
                .with_detail(format!("the task is {state}")));
        }
        RetryOutcome::NotFound => return Err(no_task()),
    }
    let record = app.store.task(&id).await.map_err(store_error)?;
    Ok(Json(convert::task(record.ok_or_else(no_task)?)))
}
