//! `GET /v1/agents`

use axum::{Json, extract::State};
use factorial_api::{Agent, Page};
use factorial_core::AgentName;
use factorial_service::ApiError;

use super::counts;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, within},
    refusal::store_error,
    routes::cut,
};

const MOST: usize = 1000;
const USUAL: usize = 200;

/// Lists the agents that workers have announced, by name.
///
/// One stays known while its workers are away.
#[utoipa::path(
    get, path = "/agents", tag = "agents",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Most agents of a page; 200 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of agents", body = Page<Agent>)),
)]
pub(crate) async fn list_agents(
    State(app): State<AppState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Page<Agent>>, ApiError> {
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| {
        AgentName::new(text).map_err(|_| "is not a cursor of this list")
    });
    params.finish()?;
    let (agents, counts, workers) = futures::try_join!(
        app.store.agents(),
        counts(&app, &caller),
        app.store.workers()
    )
    .map_err(store_error)?;
    let cursor = cursor.map(String::from);
    let page = cut(agents, cursor.as_deref(), limit, |agent| {
        agent.name.as_str()
    });
    let names = page.data.iter().map(|agent| &agent.name);
    let paused = app.store.paused(names).await.map_err(store_error)?;
    let convert = |announced| convert::agent(announced, &counts, &workers, &paused);
    Ok(Json(Page {
        data: page.data.into_iter().map(convert).collect(),
        next_cursor: page.next_cursor,
    }))
}
