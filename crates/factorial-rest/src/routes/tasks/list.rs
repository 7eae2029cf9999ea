//! `GET /v1/tasks`

use axum::{Json, extract::State};
use factorial_api::{Page, Task};
use factorial_core::{AgentName, ListFilter, OwnerId, TaskState};
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::{Params, time_cursor, within},
    refusal::store_error,
};

const MOST: usize = 200;
const USUAL: usize = 50;

/// Lists tasks, newest first.
///
/// A page can be shorter than `limit`, or empty, and still have a `next_cursor`: a filter by state looks at a bounded
/// number of tasks for each page.
#[utoipa::path(
    get, path = "/tasks", tag = "tasks",
    params(
        ("owner_id" = Option<String>, Query, description = "Only this owner's"),
        ("agent" = Option<String>, Query, description = "Only this agent's"),
        ("status" = Option<factorial_api::TaskStatus>, Query, description = "Only in this state"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most tasks of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of tasks", body = Page<Task>)),
)]
pub(crate) async fn list_tasks(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<Page<Task>>, ApiError> {
    let filter = ListFilter {
        owner: params.take("owner_id", |text| OwnerId::new(text).map_err(|e| e.problem)),
        agent: params.take("agent", |text| AgentName::new(text).map_err(|e| e.problem)),
        state: params.take("status", |text| {
            text.parse::<TaskState>()
                .map_err(|_| "is not a state of a task")
        }),
    };
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", time_cursor);
    params.finish()?;
    let agents = match (&filter.owner, &filter.agent) {
        (None, None) => app.agents.all(&app.store).await.map_err(store_error)?,
        _ => Vec::new(),
    };
    let page = app
        .store
        .list_tasks(&filter, &agents, cursor.as_deref(), limit)
        .await
        .map_err(store_error)?;
    Ok(Json(Page {
        data: page.tasks.into_iter().map(convert::task).collect(),
        next_cursor: page.next,
    }))
}
