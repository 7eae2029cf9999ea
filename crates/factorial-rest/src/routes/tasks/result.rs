//! `GET /v1/tasks/{id}/result`

use std::time::Duration;

use axum::{Extension, Json, extract::State};
use factorial_api::TaskResult;
use factorial_core::{Event, EventBatch, TaskId, TaskRecord, TaskState};
use factorial_service::{ApiError, ErrorKind};
use tokio::time::timeout;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, TaskInPath, within},
    layers::Slot,
    refusal::{no_task, store_error},
};

/// Shows the end of a task, and waits for it if asked to.
///
/// Answers as soon as the task has ended, else after `wait` seconds with the state that it is in; always with 200.
#[utoipa::path(
    get, path = "/tasks/{id}/result", tag = "tasks",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("wait" = Option<f64>, Query, minimum = 0, maximum = 60, description = "Seconds to wait for the end; 0 if absent"),
    ),
    responses((status = 200, description = "The result, or the state so far", body = TaskResult)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn get_task_result(
    State(app): State<AppState>,
    caller: Caller,
    Extension(slot): Extension<Slot>,
    TaskInPath(id): TaskInPath,
    mut params: Params,
) -> Result<Json<TaskResult>, ApiError> {
    let wait = params.take("wait", within(0.0..=60.0)).unwrap_or(0.0);
    params.finish()?;
    let mut record = read(&app, &id).await?;
    if wait > 0.0 && !record.state.is_terminal() {
        let _wait = app.wait(&slot, "long_poll")?;
        let ended = app
            .drain
            .run_until_cancelled(timeout(Duration::from_secs_f64(wait), until_end(&app, &id)));
        let ended = tokio::select! {
            ended = ended => ended,
            () = caller.ended() => return Err(ApiError::new(ErrorKind::Unauthenticated)),
        };
        record = match ended {
            Some(Ok(ended)) => ended?,
            // Time is up, or this gateway is stopping.
            Some(Err(_)) | None => read(&app, &id).await?,
        };
    }
    let output = match record.state {
        TaskState::Completed => app.store.output(&id).await.map_err(store_error)?,
        _ => None,
    };
    Ok(Json(TaskResult {
        usage: convert::usage(record.total_usage()),
        id: record.id.into(),
        status: convert::status(record.state),
        output,
        failure: record.failure.map(convert::failure),
        cancel_reason: record.reason,
    }))
}

/// The record, once the task has ended.
async fn until_end(app: &AppState, id: &TaskId) -> Result<TaskRecord, ApiError> {
    let mut live = app.store.subscribe(id);
    loop {
        let record = read(app, id).await?;
        if record.state.is_terminal() {
            return Ok(record);
        }
        loop {
            match live.next().await {
                EventBatch::Events(events) if !events.iter().any(Event::is_terminal) => {}
                EventBatch::Text(_) => {}
                _ => break,
            }
        }
    }
}

async fn read(app: &AppState, id: &TaskId) -> Result<TaskRecord, ApiError> {
    let record = app.store.task(id).await.map_err(store_error)?;
    record.ok_or_else(no_task)
}
