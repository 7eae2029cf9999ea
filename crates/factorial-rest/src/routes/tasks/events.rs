//! `GET /v1/tasks/{id}/events`

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::EventPage;
use factorial_service::ApiError;
use http::HeaderMap;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, TaskInPath},
    layers::Slot,
    refusal::{no_task, store_error},
    stream::{EventsRequest, Log, Upgrade},
};

/// Lists the events of a task, or streams them.
///
/// As JSON: a page of events after `starting_after`, oldest first. With `Accept: text/event-stream`: all events after
/// it as they come, each with `id` (its `seq`), `event` (its type) and `data` (the event); a comment every few seconds
/// when it is quiet. Over a WebSocket (a `GET` with the usual handshake): the same, each event as a text message. The stream
/// ends when the task has ended and all was sent; 204 when there is nothing left to send. Connect again with `Last-Event-ID`, which stands for `starting_after` and wins over it.
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
    caller: Caller,
    Extension(slot): Extension<Slot>,
    upgrade: Upgrade,
    TaskInPath(id): TaskInPath,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let wanted = EventsRequest::take(&headers, &mut params)?;
    params.finish()?;
    let task = app.store.task(&id).await.map_err(store_error)?;
    let task = task.ok_or_else(no_task)?;
    if wanted.live || upgrade.is_wanted() {
        let log = Log::Task(Box::new(task));
        return wanted.stream(&app, &caller, &slot, upgrade, log).await;
    }
    let (events, last_seq) = app
        .store
        .events(&id, wanted.after, wanted.limit)
        .await
        .map_err(store_error)?;
    let events = events.iter().map(|event| convert::event(event, &task));
    let data = events.collect::<Result<Vec<_>, _>>().map_err(store_error)?;
    let read = data.last().map_or(wanted.after, |event| event.seq);
    Ok(axum::Json(EventPage {
        data,
        last_seq,
        has_more: read < last_seq,
    })
    .into_response())
}
