//! `GET /v1/tasks/{id}/tool-calls`

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use factorial_api::{AwaitedCall, Page};
use factorial_core::{TaskId, Wait};
use factorial_service::ApiError;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, TaskInPath, open_cursor, seal_cursor, within},
    ownership,
    refusal::store_error,
};

const MOST: usize = 200;
const USUAL: usize = 50;

/// Lists the calls of a task that are answered from outside, those of its first reply first.
///
/// Children are not among them: `/tree` has them. A call that needs an approval and then a result is listed twice.
#[utoipa::path(
    get, path = "/tasks/{id}/tool-calls", tag = "tool calls",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("status" = Option<factorial_api::ToolCallStatus>, Query, description = "Only those that are open, or answered"),
        ("owner_id" = Option<String>, Query, description = "Only if the task is this owner's"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most calls of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of calls", body = Page<AwaitedCall>)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn list_tool_calls(
    State(app): State<AppState>,
    caller: Caller,
    TaskInPath(id): TaskInPath,
    mut params: Params,
) -> Result<Json<Page<AwaitedCall>>, ApiError> {
    let open = params.take("status", |text| match text {
        "open" => Ok(true),
        "answered" => Ok(false),
        _ => Err("must be open or answered"),
    });
    let owner = ownership::in_params(&caller, &mut params);
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let after = params.take("cursor", |text| open_cursor(text, place_in));
    params.finish()?;
    let (record, waits) =
        futures::try_join!(app.store.task(&id), app.store.waits(&id)).map_err(store_error)?;
    ownership::owned(record, owner.as_ref())?;
    let mut waits: Vec<(Place, Wait)> = waits
        .into_iter()
        .filter(|wait| open.is_none_or(|open| open == wait.is_open()))
        .filter_map(|wait| Some((place(&wait)?, wait)))
        .filter(|(place, _)| after.as_ref().is_none_or(|after| place > after))
        .collect();
    waits.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let more = waits.len() > limit;
    waits.truncate(limit);
    let next = waits.last().filter(|_| more);
    let next_cursor = next.map(|((entry, key), _)| seal_cursor(&format!("{entry} {key}")));
    let data = show(&app, &id, waits).await?;
    Ok(Json(Page { data, next_cursor }))
}

/// Where a call is in the list: the index of its reply, and its key.
type Place = (u64, String);

fn place(wait: &Wait) -> Option<Place> {
    Some((convert::reply_of(wait)?, wait.key.to_string()))
}

fn place_in(text: &str) -> Option<Place> {
    let (entry, key) = text.split_once(' ')?;
    Some((entry.parse().ok()?, key.to_owned()))
}

async fn show(
    app: &AppState,
    id: &TaskId,
    waits: Vec<(Place, Wait)>,
) -> Result<Vec<AwaitedCall>, ApiError> {
    let mut wanted: Vec<_> = waits.iter().map(|((at, _), _)| (id.clone(), *at)).collect();
    wanted.dedup();
    let entries = app.store.entries_at(&wanted).await.map_err(store_error)?;
    let replies: BTreeMap<u64, _> = wanted.into_iter().map(|(_, at)| at).zip(entries).collect();
    let shown = waits.iter().filter_map(|((at, _), wait)| {
        let reply = replies.get(at)?.as_ref()?;
        convert::awaited_call(wait, reply)
    });
    Ok(shown.collect())
}
