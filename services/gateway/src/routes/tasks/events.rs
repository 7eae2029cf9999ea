//! `GET /v1/tasks/{id}/events`

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::EventPage;
use factorial_core::TaskId;
use factorial_service::ApiError;
use http::{HeaderMap, StatusCode, header};

use crate::{
    app::AppState,
    convert,
    extract::{Params, TaskInPath, within},
    layers::Slot,
    refusal::{invalid, no_task, store_error},
    stream::sse,
};

const MOST: u64 = 1000;
const USUAL: u64 = 100;
/// The largest whole number that every JSON reader takes.
const LARGEST_SEQ: u64 = (1 << 53) - 1;
const LAST_EVENT_ID: &str = "last-event-id";

/// Lists the events of a task, or streams them.
///
/// As JSON: a page of events after `starting_after`, oldest first. With `Accept: text/event-stream`: all events after
/// it as they come, each with `id` (its `seq`), `event` (its type) and `data` (the event); a comment every few seconds
/// when it is quiet. The stream ends when the task has ended and all was sent; 204 when there is nothing left to send.
/// Connect again with `Last-Event-ID`, which stands for `starting_after` and wins over it.
#[utoipa::path(
    get, path = "/tasks/{id}/events", tag = "tasks",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("starting_after" = Option<u64>, Query, description = "`seq` of the last event that was read; 0 if absent"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most events of a page; 100 if absent"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Of streams: `seq` of the last event that was read"),
    ),
    responses(
        (status = 200, description = "A page of events, or the stream", content(
            (EventPage = "application/json"), (String = "text/event-stream"),
        )),
        (status = 204, description = "The task has ended, and a stream would have nothing to send"),
    ),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn list_task_events(
    State(app): State<AppState>,
    Extension(slot): Extension<Slot>,
    TaskInPath(id): TaskInPath,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let after = params
        .take("starting_after", within(0..=LARGEST_SEQ))
        .unwrap_or(0);
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    params.finish()?;
    if wants_stream(&headers) {
        let after = last_event_id(&headers)?.unwrap_or(after);
        stream(&app, &slot, id, after).await
    } else {
        page(&app, &id, after, limit).await
    }
}

async fn page(app: &AppState, id: &TaskId, after: u64, limit: u64) -> Result<Response, ApiError> {
    let task = app.store.task(id).await.map_err(store_error)?;
    let task = task.ok_or_else(no_task)?;
    let (events, last_seq) = app
        .store
        .events(id, after, limit)
        .await
        .map_err(store_error)?;
    let events = events.iter().map(|event| convert::event(event, &task));
    let data = events.collect::<Result<Vec<_>, _>>().map_err(store_error)?;
    let read = data.last().map_or(after, |event| event.seq);
    Ok(Json(EventPage {
        data,
        last_seq,
        has_more: read < last_seq,
    })
    .into_response())
}

async fn stream(app: &AppState, slot: &Slot, id: TaskId, after: u64) -> Result<Response, ApiError> {
    let task = app.store.task(&id).await.map_err(store_error)?;
    let task = task.ok_or_else(no_task)?;
    if task.state.is_terminal() {
        let (left, _) = app.store.events(&id, after, 1).await.map_err(store_error)?;
        if left.is_empty() {
            // To a browser's `EventSource`, this says not to come back.
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
    let wait = app.wait(slot, "stream")?;
    let (store, drain) = (app.store.clone(), app.drain.clone());
    Ok(sse(store, task, after, app.keep_alive, drain, wait))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    accepted.any(|value| value.contains("text/event-stream"))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    let id = id
        .to_str()
        .map_err(|_| ())
        .and_then(|id| within(0..=LARGEST_SEQ)(id).map_err(|_| ()));
    id.map(Some)
        .map_err(|()| invalid("Last-Event-ID", "is not the id of an event"))
}
