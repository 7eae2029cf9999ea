//! `GET /v1/tasks/{id}/tree`

use axum::{Json, extract::State};
use factorial_api::TaskTree;
use factorial_service::ApiError;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, TaskInPath, within},
    family, ownership,
    refusal::{no_task, store_error},
};

const MOST: usize = 5000;
const USUAL: usize = 500;

/// Shows a task with its descendants.
///
/// Those nearest to the task come first: with more than `limit`, the deepest are left out. So are those that have
/// expired; `descendants` counts them all the same.
#[utoipa::path(
    get, path = "/tasks/{id}/tree", tag = "tasks",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("owner_id" = Option<String>, Query, description = "Only if the task is this owner's"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 5000, description = "Most tasks shown; 500 if absent"),
    ),
    responses((status = 200, description = "The tree", body = TaskTree)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn get_task_tree(
    State(app): State<AppState>,
    caller: Caller,
    TaskInPath(id): TaskInPath,
    mut params: Params,
) -> Result<Json<TaskTree>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    params.finish()?;
    let record = app.store.task(&id).await.map_err(store_error)?;
    let record = ownership::owned(record, owner.as_ref())?;
    let descendants = convert::descendants(record.tree);
    let family = family::read(&app.store, record, limit)
        .await
        .map_err(store_error)?;
    let (root, totals) = convert::tree(family.members).ok_or_else(no_task)?;
    Ok(Json(TaskTree {
        root,
        totals,
        descendants,
        truncated: family.truncated,
    }))
}
