//! `GET /v1/agents/{name}`

use axum::{Json, extract::State};
use factorial_api::Agent;
use factorial_core::AgentName;
use factorial_service::{ApiError, ErrorKind};

use super::counts;
use crate::{access::Caller, app::AppState, convert, extract::AgentInPath, refusal::store_error};

/// Shows an agent.
///
/// With its definition, as far as it may be shown, and how many of its tasks wait and run.
#[utoipa::path(
    get, path = "/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "Name of the agent")),
    responses((status = 200, description = "The agent", body = Agent)),
    extensions(("x-problem-codes" = json!(["agent_not_found"]))),
)]
pub(crate) async fn get_agent(
    State(app): State<AppState>,
    caller: Caller,
    AgentInPath(name): AgentInPath,
) -> Result<Json<Agent>, ApiError> {
    show(&app, &caller, &name).await.map(Json)
}

/// An agent as it is now.
pub(super) async fn show(
    app: &AppState,
    caller: &Caller,
    name: &AgentName,
) -> Result<Agent, ApiError> {
    let store = &app.store;
    let (agents, counts, workers, paused, definition) = futures::try_join!(
        store.agents(),
        counts(app, caller),
        store.workers(),
        store.paused([name]),
        store.definition(name),
    )
    .map_err(store_error)?;
    let agent = agents.into_iter().find(|agent| agent.name == *name);
    let mut agent = agent.ok_or_else(|| ApiError::new(ErrorKind::AgentNotFound))?;
    agent.definition = definition;
    Ok(convert::agent(agent, &counts, &workers, &paused))
}
