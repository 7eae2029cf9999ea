//! `POST /v1/agents/{name}/pause` and `/resume`

use axum::{Json, extract::State};
use factorial_api::Agent;
use factorial_core::AgentName;
use factorial_service::{ApiError, ErrorKind};

use super::get::show;
use crate::{access::Caller, app::AppState, extract::AgentInPath, refusal::store_error};

/// Pauses an agent.
///
/// Its tasks are accepted and wait; those that run go on, and wait when they have been parked. Pausing it again is no error.
#[utoipa::path(
    post, path = "/agents/{name}/pause", tag = "agents",
    params(("name" = String, Path, description = "Name of the agent")),
    responses((status = 200, description = "The agent, paused", body = Agent)),
    extensions(("x-problem-codes" = json!(["agent_not_found", "store_full"]))),
)]
pub(crate) async fn pause_agent(
    State(app): State<AppState>,
    caller: Caller,
    AgentInPath(name): AgentInPath,
) -> Result<Json<Agent>, ApiError> {
    set(&app, &caller, &name, true).await.map(Json)
}

/// Resumes an agent.
///
/// Resuming one that is not paused is no error.
#[utoipa::path(
    post, path = "/agents/{name}/resume", tag = "agents",
    params(("name" = String, Path, description = "Name of the agent")),
    responses((status = 200, description = "The agent, not paused", body = Agent)),
    extensions(("x-problem-codes" = json!(["agent_not_found", "store_full"]))),
)]
pub(crate) async fn resume_agent(
    State(app): State<AppState>,
    caller: Caller,
    AgentInPath(name): AgentInPath,
) -> Result<Json<Agent>, ApiError> {
    set(&app, &caller, &name, false).await.map(Json)
}

async fn set(
    app: &AppState,
    caller: &Caller,
    name: &AgentName,
    paused: bool,
) -> Result<Agent, ApiError> {
    let known = app.agents.find(&app.store, name).await;
    if known.map_err(store_error)?.is_none() {
        return Err(ApiError::new(ErrorKind::AgentNotFound));
    }
    let changed = app.store.set_paused(name, paused).await;
    changed.map_err(store_error)?;
    tracing::info!(agent.name = %name, paused, "agent paused or resumed");
    show(app, caller, name).await
}
