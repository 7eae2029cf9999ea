//! `GET /v1/tasks/{id}/messages`

use axum::{Json, extract::State};
use factorial_api::MessagePage;
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert::{self, Place},
    extract::{Params, TaskInPath, within},
    refusal::{no_task, store_error},
};

const MOST: usize = 200;
const USUAL: usize = 50;

/// Lists the conversation of a task, oldest first.
///
/// It begins with what was submitted; of a task that goes on with an earlier one, with the earlier conversation. The
/// output is not a message: `/result` has it. The `turn` counts in each run of the conversation from 1 and is 0 before.
#[utoipa::path(
    get, path = "/tasks/{id}/messages", tag = "tasks",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most messages of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of messages", body = MessagePage)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn list_task_messages(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
    mut params: Params,
) -> Result<Json<MessagePage>, ApiError> {
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let mut place: Place = params.take("cursor", str::parse).unwrap_or_default();
    params.finish()?;
    let wanted = limit as u64 + 1;
    let from = place.entry;
    let entries = app
        .store
        .entries(&id, from, wanted)
        .await
        .map_err(store_error)?;
    if entries.is_empty() {
        // A conversation is never empty, so this is the end of it, or there is no such task.
        app.store
            .task(&id)
            .await
            .map_err(store_error)?
            .ok_or_else(no_task)?;
    }
    let read = entries.len() as u64;
    let data = convert::messages(entries, &mut place, limit);
    let more = place.entry < from + read || read == wanted;
    Ok(Json(MessagePage {
        data,
        next_cursor: more.then(|| place.to_string()),
    }))
}
