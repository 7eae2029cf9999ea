//! `POST /v1/tasks/{id}/tool-calls/{call_id}/approve`

use axum::{Json, extract::State};
use factorial_api::{AnswerResponse, ApproveRequest, ToolCallOutcome};
use factorial_service::ApiError;
use serde_json::Map;

use crate::{
    access::Caller,
    answers::{Bounds, Given, check_arguments, give, name_limit},
    app::AppState,
    extract::{CallInPath, OptionalJson},
};

/// Approves a call, perhaps with other arguments.
///
/// Arguments are judged by the schema of the tool. The approval is for the version of the agent that asked: when another
/// one goes on with the task, it asks again.
#[utoipa::path(
    post, path = "/tasks/{id}/tool-calls/{call_id}/approve", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("call_id" = String, Path, description = "Id of the call"),
    ),
    request_body = Option<ApproveRequest>,
    responses((status = 200, description = "The answer counts, or was given before", body = AnswerResponse)),
    extensions(("x-problem-codes" = json!([
        "task_not_found", "tool_call_not_found", "tool_call_answered", "tool_call_closed", "task_finished",
        "store_full",
    ]))),
)]
pub(crate) async fn approve_tool_call(
    State(app): State<AppState>,
    caller: Caller,
    CallInPath { task, call }: CallInPath,
    body: Result<OptionalJson<ApproveRequest>, ApiError>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let OptionalJson(request) = body.map_err(|error| name_limit(error, app.max_body_bytes))?;
    let owner = Bounds::default()
        .by(request.by.as_deref())
        .owner(&caller, request.owner_id.as_deref())?;
    if let Some(arguments) = &request.arguments {
        check_arguments(&app, &task, &call, arguments, owner.as_ref()).await?;
    }
    let mut payload = Map::new();
    payload.extend(
        request
            .arguments
            .map(|a| ("arguments".to_owned(), a.into())),
    );
    payload.extend(request.by.clone().map(|by| ("by".to_owned(), by.into())));
    let given = Given {
        outcome: ToolCallOutcome::Approved,
        payload: payload.into(),
        by: request.by,
        owner,
    };
    give(&app, task, call, given).await.map(Json)
}
