//! `POST /v1/tasks/{id}/steer`

use axum::{Json, extract::State};
use factorial_api::{FieldError, SteerMode, SteerRequest, SteerResponse};
use factorial_core::{InputMessage, Steer, SteerOutcome};
use factorial_service::ApiError;
use http::StatusCode;

use crate::{
    app::AppState,
    extract::{Json as JsonBody, TaskInPath},
    refusal::{field, finished, no_task, steering_full, store_error},
    submission::{most_text, role},
};

/// Most messages of a call.
const MOST_MESSAGES: usize = 64;
/// Most bytes of a message.
const LONGEST_MESSAGE: usize = 64 * 1024;
/// Most characters of a client's own id.
const LONGEST_CLIENT_ID: usize = 128;

/// Hands messages to a running task.
///
/// They are applied exactly once and in order: at the next boundary between turns, or at once with `interrupt`. A task
/// that is about to end goes on for another turn with them; one that has ended refuses them.
#[utoipa::path(
    post, path = "/tasks/{id}/steer", tag = "tasks",
    params(("id" = String, Path, description = "Id of the task")),
    request_body = SteerRequest,
    responses((status = 202, description = "The messages were accepted", body = SteerResponse)),
    extensions(("x-problem-codes" = json!(["task_not_found", "task_finished", "steering_full", "store_full"]))),
)]
pub(crate) async fn steer_task(
    State(app): State<AppState>,
    TaskInPath(id): TaskInPath,
    JsonBody(request): JsonBody<SteerRequest>,
) -> Result<(StatusCode, Json<SteerResponse>), ApiError> {
    check(&request)?;
    let messages = request.messages.into_iter().map(|message| InputMessage {
        role: role(message.role),
        content: message.content,
    });
    let messages: Vec<_> = messages.collect();
    let client_id = request
        .client_id
        .unwrap_or_else(|| app.clock.unique().to_string());
    let steer = Steer {
        messages: &messages,
        interrupt: request.mode == SteerMode::Interrupt,
        client_id: &client_id,
    };
    let (accepted, pending) = match app.store.steer(&id, &steer).await.map_err(store_error)? {
        SteerOutcome::Accepted(waiting) => (messages.len(), waiting),
        SteerOutcome::Duplicate(waiting) => (0, waiting),
        SteerOutcome::Finished(state) => return Err(finished(state)),
        SteerOutcome::Full(waiting) => {
            return Err(steering_full(format!("{waiting} messages wait")));
        }
        SteerOutcome::Exhausted => return Err(steering_full("the task takes no more calls")),
        SteerOutcome::NotFound => return Err(no_task()),
    };
    let response = SteerResponse {
        task_id: id.into(),
        accepted: u32::try_from(accepted).unwrap_or(u32::MAX),
        pending: u32::try_from(pending).unwrap_or(u32::MAX),
    };
    Ok((StatusCode::ACCEPTED, Json(response)))
}

fn check(request: &SteerRequest) -> Result<(), ApiError> {
    let mut errors: Vec<FieldError> = Vec::new();
    if request.messages.is_empty() || request.messages.len() > MOST_MESSAGES {
        errors.push(field("/messages", "must be 1 to 64"));
    }
    for (index, message) in request.messages.iter().enumerate().take(MOST_MESSAGES) {
        if message.content.is_empty() || message.content.len() > LONGEST_MESSAGE {
            let pointer = format!("/messages/{index}/content");
            errors.push(field(pointer, "must be 1 to 65536 bytes"));
        }
    }
    let client_id = request.client_id.as_deref();
    if client_id.is_some_and(|id| id.is_empty() || !most_text(id, LONGEST_CLIENT_ID)) {
        errors.push(field("/client_id", "must be 1 to 128 characters"));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(errors))
    }
}
