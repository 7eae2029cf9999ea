//! `POST /v1/callbacks/{token}/progress`

use axum::extract::State;
use factorial_api::ToolCallProgress;
use factorial_service::ApiError;
use http::StatusCode;

use crate::{
    access::Caller,
    answers::report,
    app::AppState,
    extract::{CallByToken, Json as JsonBody},
};

/// Reports progress with the call that a callback URL was made for, while it is open.
///
/// It becomes an event of the task, and extends no time limit. The number of reports of a call is bounded.
#[utoipa::path(
    post, path = "/callbacks/{token}/progress", tag = "callbacks",
    params(("token" = String, Path, description = "As in the URL that the tool was given; a secret")),
    request_body = ToolCallProgress,
    responses((status = 202, description = "The report is in the event log")),
    extensions(("x-problem-codes" = json!([
        "invalid_token", "task_not_found", "tool_call_not_found", "tool_call_closed", "progress_exhausted",
        "store_full",
    ]))),
)]
pub(crate) async fn report_callback_progress(
    State(app): State<AppState>,
    caller: Caller,
    CallByToken { task, call }: CallByToken,
    JsonBody(request): JsonBody<ToolCallProgress>,
) -> Result<StatusCode, ApiError> {
    report(&app, &caller, &task, call, request).await?;
    Ok(StatusCode::ACCEPTED)
}
