//! `GET /v1/tasks/{id}`

use axum::{Json, extract::State};
use factorial_api::Task;
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::TaskInPath,
    refusal::{no_task, store_error},
};

/// Shows a task.
///
/// The record without the conversation and the output: `/messages` and `/result` have these.
#[utoipa::path(
    get, path = "/tasks/{id}", tag = "tasks",
    params(("id" = String, Path, description = "Id of the task")),
    responses((status = 200, description = "The task as it is now", body = Task)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn get_task(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
) -> Result<Json<Task>, ApiError> {
    let record = app.store.task(&id).await.map_err(store_error)?;
    Ok(Json(convert::task(record.ok_or_else(no_task)?)))
}
