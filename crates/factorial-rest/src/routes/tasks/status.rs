//! `GET /v1/tasks/{id}/status`

use axum::{Json, extract::State};
use factorial_api::TaskStatusView;
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::TaskInPath,
    refusal::{no_task, store_error},
};

/// Shows the state of a task, and nothing else.
///
/// For polling: the cheapest answer about a task.
#[utoipa::path(
    get, path = "/tasks/{id}/status", tag = "tasks",
    params(("id" = String, Path, description = "Id of the task")),
    responses((status = 200, description = "The state now", body = TaskStatusView)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn get_task_status(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
) -> Result<Json<TaskStatusView>, ApiError> {
    let record = app.store.task(&id).await.map_err(store_error)?;
    let record = record.ok_or_else(no_task)?;
    Ok(Json(TaskStatusView {
        id: record.id.into(),
        status: convert::status(record.state),
    }))
}
