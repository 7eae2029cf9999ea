//! `POST /v1/tasks/{id}/tool-calls/{call_id}/error`

use axum::{Json, extract::State};
use factorial_api::{AnswerResponse, ToolCallError, ToolCallOutcome};
use factorial_service::ApiError;
use serde_json::json;

use crate::{
    access::Caller,
    answers::{Bounds, Given, LONGEST_MESSAGE, give},
    app::AppState,
    extract::{CallInPath, Json as JsonBody},
};

/// Says that a call has failed.
///
/// An answer like a result: the first one counts.
#[utoipa::path(
    post, path = "/tasks/{id}/tool-calls/{call_id}/error", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("call_id" = String, Path, description = "Id of the call"),
    ),
    request_body = ToolCallError,
    responses((status = 200, description = "The answer counts, or was given before", body = AnswerResponse)),
    extensions(("x-problem-codes" = json!([
        "task_not_found", "tool_call_not_found", "tool_call_answered", "tool_call_closed", "task_finished",
        "store_full",
    ]))),
)]
pub(crate) async fn fail_tool_call(
    State(app): State<AppState>,
    caller: Caller,
    CallInPath { task, call }: CallInPath,
    JsonBody(request): JsonBody<ToolCallError>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let owner = Bounds::default()
        .text("/message", Some(&request.message), LONGEST_MESSAGE)
        .by(request.by.as_deref())
        .owner(&caller, request.owner_id.as_deref())?;
    let given = Given {
        outcome: ToolCallOutcome::Error,
        payload: json!({"message": request.message}),
        by: request.by,
        owner,
    };
    give(&app, task, call, given).await.map(Json)
}
