//! `GET /v1/tasks`

use axum::{Json, extract::State};
use factorial_api::{Page, Task};
use factorial_core::{AgentName, BatchId, ListCursor, ListFilter, TaskState, WorkerId};
use factorial_service::ApiError;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, instant, open_cursor, seal_cursor, within},
    ownership,
    refusal::{shorten, store_error},
};

const MOST: usize = 200;
const USUAL: usize = 50;
/// Most characters that are searched for.
const LONGEST_TEXT: usize = 200;

/// Lists tasks, newest first: those in a state that is terminal by their end, others by when they were made.
///
/// Of several states, those that wait come first, then those that run, then those that have ended.
/// A page can be shorter than `limit`, or empty, and still have a `next_cursor`: a bounded number of tasks is looked at
/// for each page. What ended a moment ago, or changed its state, may be missing from a list by state.
#[utoipa::path(
    get, path = "/tasks", tag = "tasks",
    params(
        ("owner_id" = Option<String>, Query, description = "Only this owner's"),
        ("agent" = Option<String>, Query, description = "Only this agent's"),
        (
            "status" = Option<Vec<factorial_api::TaskStatus>>, Query, style = Form, explode = false,
            description = "Only in one of these states, with commas between them",
        ),
        ("batch_id" = Option<String>, Query, description = "Only members of this batch"),
        (
            "q" = Option<String>, Query, max_length = 200,
            description = "Only with this text in their id, or in a key or value of their metadata; upper and lower case \
                are the same",
        ),
        ("created_after" = Option<factorial_api::Time>, Query, description = "Only made at this time or later"),
        ("created_before" = Option<factorial_api::Time>, Query, description = "Only made before this time"),
        ("finished_after" = Option<factorial_api::Time>, Query, description = "Only ended at this time or later"),
        ("finished_before" = Option<factorial_api::Time>, Query, description = "Only ended before this time"),
        ("worker_id" = Option<String>, Query, description = "Only those that this worker runs"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most tasks of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of tasks", body = Page<Task>)),
)]
pub(crate) async fn list_tasks(
    State(app): State<AppState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Page<Task>>, ApiError> {
    let filter = filter(&caller, &mut params);
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| {
        open_cursor(text, |text| text.parse::<ListCursor>().ok())
    });
    params.finish()?;
    let agents = app.store.agent_names().await.map_err(store_error)?;
    let page = app
        .store
        .list_tasks(&filter, &agents, cursor.as_ref(), limit)
        .await
        .map_err(store_error)?;
    Ok(Json(Page {
        data: page.tasks.into_iter().map(convert::task).collect(),
        next_cursor: page.next.map(|next| seal_cursor(&next.to_string())),
    }))
}

/// The parameters that say which tasks.
fn filter(caller: &Caller, params: &mut Params) -> ListFilter {
    let owner = ownership::in_params(caller, params);
    ListFilter {
        owners: ownership::scope(caller, owner),
        private: !caller.owners().are_all(),
        agent: params.take("agent", |text| AgentName::new(text).map_err(|e| e.problem)),
        states: params.take("status", states).unwrap_or_default(),
        batch: params.take("batch_id", |text| {
            text.parse::<BatchId>().map_err(|_| "is not a batch id")
        }),
        text: params.take("q", searched),
        from_ms: params.take("created_after", instant),
        before_ms: params.take("created_before", instant),
        ended_from_ms: params.take("finished_after", instant),
        ended_before_ms: params.take("finished_before", instant),
        worker: params.take("worker_id", |text| {
            WorkerId::new(text).map_err(|e| e.problem)
        }),
    }
}

/// Reads states with commas between them.
fn states(text: &str) -> Result<Vec<TaskState>, String> {
    let read = |name: &str| {
        name.parse()
            .map_err(|_| format!("has {} that is no state of a task", quoted(name)))
    };
    text.split(',').map(read).collect()
}

/// A word of a request, to be shown to who sent it.
fn quoted(word: &str) -> String {
    format!("{:?}", shorten(word))
}

/// Reads a text that is searched for.
pub(super) fn searched(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(format!("must be 1 to {LONGEST_TEXT} characters"));
    }
    Ok(text.to_owned())
}
