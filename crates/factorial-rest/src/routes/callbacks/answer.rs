//! `POST /v1/callbacks/{token}`

use axum::{Json, extract::State};
use factorial_api::{AnswerResponse, CallbackRequest, ToolCallOutcome};
use factorial_service::ApiError;
use serde_json::json;

use crate::{
    access::Caller,
    answers::{Bounds, Given, LONGEST_MESSAGE, give, name_limit},
    app::AppState,
    extract::{CallByToken, Json as JsonBody},
};

/// Who answers, as far as is known.
const BY: &str = "callback";

/// Answers the call that a callback URL was made for.
///
/// The token in the URL is all that is needed, and is good for one answer: the same again is no error, another is
/// refused.
#[utoipa::path(
    post, path = "/callbacks/{token}", tag = "callbacks",
    params(("token" = String, Path, description = "As in the URL that the tool was given; a secret")),
    request_body = CallbackRequest,
    responses((status = 200, description = "The answer counts, or was given before", body = AnswerResponse)),
    extensions(("x-problem-codes" = json!([
        "invalid_token", "task_not_found", "tool_call_not_found", "tool_call_answered", "tool_call_closed",
        "task_finished", "store_full",
    ]))),
)]
pub(crate) async fn answer_callback(
    State(app): State<AppState>,
    caller: Caller,
    CallByToken { task, call }: CallByToken,
    body: Result<JsonBody<CallbackRequest>, ApiError>,
) -> Result<Json<AnswerResponse>, ApiError> {
    let JsonBody(request) = body.map_err(|error| name_limit(error, app.max_body_bytes))?;
    let message = request.error.as_ref().map(|error| error.message.as_str());
    let owner = Bounds::default()
        .require(
            request.result.is_some() != request.error.is_some(),
            "",
            "must have either a result or an error",
        )
        .text("/error/message", message, LONGEST_MESSAGE)
        .owner(&caller, None)?;
    let (outcome, payload) = match (request.result, request.error) {
        (_, Some(error)) => (ToolCallOutcome::Error, json!({"message": error.message})),
        (result, None) => (ToolCallOutcome::Result, result.unwrap_or_default()),
    };
    let given = Given {
        outcome,
        payload,
        by: Some(BY.to_owned()),
        owner,
    };
    give(&app, task, call, given).await.map(Json)
}
