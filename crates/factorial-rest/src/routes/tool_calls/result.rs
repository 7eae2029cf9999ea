//! `POST /v1/tasks/{id}/tool-calls/{call_id}/result`

use axum::{Json, extract::State};
use factorial_api::{AnswerResponse, ToolCallOutcome, ToolCallResult};
use factorial_service::ApiError;

use crate::{
    access::Caller,
    answers::{Bounds, Given, give, name_limit},
    app::AppState,
    extract::{CallInPath, Json as JsonBody},
};

/// Gives the result of a call.
///
/// The first answer counts; the same again is no error, and another is refused. One that comes before the task waits
/// is kept. The last answer that a task waits for queues it again.
#[utoipa::path(
    post, path = "/tasks/{id}/tool-calls/{call_id}/result", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("call_id" = String, Path, description = "Id of the call"),
    ),
    request_body = ToolCallResult,
    responses((status = 200, description = "The answer counts, or was given before", body = AnswerResponse)),
    extensions(("x-problem-codes" = json!([
        "task_not_found", "tool_call_not_found", "tool_call_answered", "tool_call_closed", "task_finished",
        "store_full",
    ]))),
)]
pub(crate) async fn answer_tool_call(
    State(app): State<AppState>,
    caller: Caller,
    CallInPath { task, call }: CallInPath,
    body: Result<JsonBody<ToolCallResult>, ApiError>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let JsonBody(request) = body.map_err(|error| name_limit(error, app.max_body_bytes))?;
    let owner = Bounds::default()
        .by(request.by.as_deref())
        .owner(&caller, request.owner_id.as_deref())?;
    let given = Given {
        outcome: ToolCallOutcome::Result,
        payload: request.result,
        by: request.by,
        owner,
    };
    give(&app, task, call, given).await.map(Json)
}
