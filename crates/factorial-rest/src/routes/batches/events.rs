//! `GET /v1/batches/{id}/events`

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::BatchEventPage;
use factorial_service::ApiError;
use http::HeaderMap;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{BatchInPath, Params},
    layers::Slot,
    ownership,
    refusal::store_error,
    stream::{EventsRequest, Log, Upgrade},
};

/// Lists the events of a batch, or streams them.
///
/// As those of a task: a page of events after `starting_after`, oldest first; with `Accept: text/event-stream`, or over a WebSocket, all events
/// after it as they come, until the batch has ended and all was sent; 204 when there is nothing left to send. There are at
/// most about a hundred of them, however many members the batch has.
#[utoipa::path(
    get, path = "/batches/{id}/events", tag = "batches",
    params(
        ("id" = String, Path, description = "Id of the batch"),
        ("owner_id" = Option<String>, Query, description = "If given, a batch of another owner is not found"),
        ("starting_after" = Option<u64>, Query, description = "`seq` of the last event that was read; 0 if absent"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "Most events of a page; 100 if absent"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Of streams: `seq` of the last event that was read"),
    ),
    responses(
        (status = 200, description = "A page of events, or the stream", content(
            (BatchEventPage = "application/json"), (String = "text/event-stream"),
        )),
        (status = 204, description = "The batch has ended, and a stream would have nothing to send"),
    ),
    extensions(("x-problem-codes" = json!(["batch_not_found"]))),
)]
pub(crate) async fn list_batch_events(
    State(app): State<AppState>,
    caller: Caller,
    Extension(slot): Extension<Slot>,
    upgrade: Upgrade,
    BatchInPath(id): BatchInPath,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let wanted = EventsRequest::take(&headers, &mut params)?;
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let batch = owned::batch(&app, &id, owner.as_ref()).await?;
    if wanted.live || upgrade.is_wanted() {
        let log = Log::Batch(Box::new(batch));
        return wanted.stream(&app, &caller, &slot, upgrade, log).await;
    }
    let (events, last_seq) = app
        .store
        .batch_events(&id, wanted.after, wanted.limit)
        .await
        .map_err(store_error)?;
    let events = events
        .iter()
        .map(|event| convert::batch_event(event, &batch));
    let data = events.collect::<Result<Vec<_>, _>>().map_err(store_error)?;
    let read = data.last().map_or(wanted.after, |event| event.seq);
    Ok(Json(BatchEventPage {
        data,
        last_seq,
        has_more: read < last_seq,
    })
    .into_response())
}
