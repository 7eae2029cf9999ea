//! `GET /v1/events`

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::FeedEventPage;
use factorial_service::ApiError;
use http::HeaderMap;

use crate::{
    access::Caller,
    app::AppState,
    extract::Params,
    layers::Slot,
    ownership,
    refusal::{invalid, store_error},
    stream::{
        Feed, FeedFilter, Pattern, Position, Source, Upgrade, last_event_id, stream, wants_stream,
    },
};

/// Lists the events of all tasks and batches of an owner, or streams them.
///
/// With `Accept: text/event-stream`, or over a WebSocket: what happens from now on, or after `cursor`, as it happens; each
/// message has where to go on after it (`id`, or `cursor`). Without a `cursor` the first message is `feed_opened`. As JSON:
/// what has happened after `cursor`. Events are kept for 15 minutes after the last request, the newest 10,000 steps of each
/// partition: a reader who comes back later gets a `feed_gap` and then a `feed_snapshot` of how the tasks stand. Events of a
/// task come in order, each once.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(
        ("owner_id" = Option<String>, Query, description = "The owner; if absent, the only one that the key is bound to"),
        ("task_ids" = Option<String>, Query, description = "Only of these tasks and batches: up to 100 ids, separated by commas"),
        ("event_types" = Option<String>, Query, description = "Only these types: up to 100, separated by commas"),
        ("event_pattern" = Option<String>, Query, description = "Only types that fit, with `*` for any characters: `run_*`"),
        ("cursor" = Option<String>, Query, description = "Where to go on"),
        ("Last-Event-ID" = Option<String>, Header, description = "Of streams: stands for `cursor` and wins over it"),
    ),
    responses((status = 200, description = "Events, or the stream", content(
        (FeedEventPage = "application/json"), (String = "text/event-stream"),
    ))),
)]
pub(crate) async fn list_events(
    State(app): State<AppState>,
    caller: Caller,
    Extension(slot): Extension<Slot>,
    upgrade: Upgrade,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    let filter = FeedFilter {
        ids: params.take("task_ids", FeedFilter::ids),
        types: params.take("event_types", FeedFilter::types),
        pattern: params.take("event_pattern", Pattern::parse),
    };
    let partitions = app.store.partitions();
    let parse = |text: &str| Position::parse(text, partitions).ok_or("is not a cursor of a feed");
    let cursor = params.take("cursor", parse);
    params.finish()?;
    let owner = ownership::required(&caller, owner)?;
    let live = wants_stream(&headers);
    let resumed = last_event_id(&headers).filter(|_| live);
    let resumed = resumed.map(|id| parse(id).map_err(|problem| invalid("Last-Event-ID", problem)));
    let position = resumed.transpose()?.or(cursor);
    let begins = position.as_ref().map(Position::text).unwrap_or_default();
    let mut feed = Feed::new(app.store.clone(), owner, filter, position);
    if live || upgrade.is_wanted() {
        let source = Source::Feed(Box::new(feed));
        return stream(&app, &caller, &slot, upgrade, source, begins);
    }
    let (items, has_more) = feed.page().await.map_err(store_error)?;
    let data = items.into_iter().map(|item| item.with_cursor());
    let data = data.collect::<Result<Vec<_>, _>>().map_err(store_error)?;
    Ok(Json(FeedEventPage {
        data,
        cursor: feed.cursor(),
        has_more,
    })
    .into_response())
}
