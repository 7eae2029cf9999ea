//! `GET /v1/agents/{name}`

use axum::{Json, extract::State};
use factorial_api::Agent;
use factorial_service::{ApiError, ErrorKind};

use crate::{app::AppState, convert, extract::AgentInPath, refusal::store_error};

/// Shows an agent.
#[utoipa::path(
    get, path = "/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "Name of the agent")),
    responses((status = 200, description = "The agent", body = Agent)),
    extensions(("x-problem-codes" = json!(["agent_not_found"]))),
)]
pub(crate) async fn get_agent(
    State(app): State<AppState>,
    AgentInPath(name): AgentInPath,
) -> Result<Json<Agent>, ApiError> {
    let (agents, counts, workers) =
        futures::try_join!(app.store.agents(), app.store.counts(), app.store.workers())
            .map_err(store_error)?;
    let agent = agents.into_iter().find(|agent| agent.name == name);
    let agent = agent.ok_or_else(|| ApiError::new(ErrorKind::AgentNotFound))?;
    Ok(Json(convert::agent(agent, &counts, &workers)))
}
