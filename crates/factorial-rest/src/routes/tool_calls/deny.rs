//! `POST /v1/tasks/{id}/tool-calls/{call_id}/deny`

use axum::{Json, extract::State};
use factorial_api::{AnswerResponse, DenyRequest, ToolCallOutcome};
use factorial_service::ApiError;
use serde_json::Map;

use crate::{
    access::Caller,
    answers::{Bounds, Given, LONGEST_REASON, give},
    app::AppState,
    extract::{CallInPath, OptionalJson},
};

/// Denies a call. The model sees the reason.
///
/// The call is not made. The first answer to a call counts; the same again is no error.
#[utoipa::path(
    post, path = "/tasks/{id}/tool-calls/{call_id}/deny", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("call_id" = String, Path, description = "Id of the call"),
    ),
    request_body = Option<DenyRequest>,
    responses((status = 200, description = "The answer counts, or was given before", body = AnswerResponse)),
    extensions(("x-problem-codes" = json!([
        "task_not_found", "tool_call_not_found", "tool_call_answered", "tool_call_closed", "task_finished",
        "store_full",
    ]))),
)]
pub(crate) async fn deny_tool_call(
    State(app): State<AppState>,
    caller: Caller,
    CallInPath { task, call }: CallInPath,
    OptionalJson(request): OptionalJson<DenyRequest>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let owner = Bounds::default()
        .text("/reason", request.reason.as_deref(), LONGEST_REASON)
        .by(request.by.as_deref())
        .owner(&caller, request.owner_id.as_deref())?;
    let mut payload = Map::new();
    payload.extend(
        request
            .reason
            .map(|text| ("reason".to_owned(), text.into())),
    );
    payload.extend(request.by.clone().map(|by| ("by".to_owned(), by.into())));
    let given = Given {
        outcome: ToolCallOutcome::Denied,
        payload: payload.into(),
        by: request.by,
        owner,
    };
    give(&app, task, call, given).await.map(Json)
}
