//! `POST /v1/tasks/{id}/tool-calls/{call_id}/progress`

use axum::extract::State;
use factorial_api::ToolCallProgress;
use factorial_service::ApiError;
use http::StatusCode;

use crate::{
    access::Caller,
    answers::report,
    app::AppState,
    extract::{CallInPath, Json as JsonBody},
};

/// Reports progress with an open call, as an event of the task.
///
/// It extends no time limit. The number of reports of a call is bounded.
#[utoipa::path(
    post, path = "/tasks/{id}/tool-calls/{call_id}/progress", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("call_id" = String, Path, description = "Id of the call"),
    ),
    request_body = ToolCallProgress,
    responses((status = 202, description = "The report is in the event log")),
    extensions(("x-problem-codes" = json!([
        "task_not_found", "tool_call_not_found", "tool_call_closed", "progress_exhausted", "store_full",
    ]))),
)]
pub(crate) async fn report_tool_call_progress(
    State(app): State<AppState>,
    caller: Caller,
    CallInPath { task, call }: CallInPath,
    JsonBody(request): JsonBody<ToolCallProgress>,
) -> Result<StatusCode, ApiError> {
    report(&app, &caller, &task, call, request).await?;
    Ok(StatusCode::ACCEPTED)
}
