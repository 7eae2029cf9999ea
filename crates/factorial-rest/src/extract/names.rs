//! Names in paths.
//!
//! Invariant: a malformed name is 422, one that names nothing is 404.

use axum::extract::{FromRequestParts, Path};
use factorial_core::{AgentName, BatchId, TaskId};
use factorial_service::ApiError;
use http::request::Parts;

use crate::{
    app::AppState,
    refusal::{invalid, no_batch, no_task},
};

/// `{id}`: a task id that can be one of this namespace.
pub(crate) struct TaskInPath(pub(crate) TaskId);

/// `{id}`: a batch id that can be one of this namespace.
pub(crate) struct BatchInPath(pub(crate) BatchId);

/// `{name}`: a well-formed name of an agent.
pub(crate) struct AgentInPath(pub(crate) AgentName);

impl FromRequestParts<AppState> for TaskInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        task_id(app, &text).map(Self)
    }
}

impl FromRequestParts<AppState> for BatchInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id: BatchId = text
            .parse()
            .map_err(|_| invalid("id", "is not a batch id"))?;
        if id.partition().0 < app.store.partitions() {
            Ok(Self(id))
        } else {
            Err(no_batch())
        }
    }
}

impl FromRequestParts<AppState> for AgentInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "name").await?;
        let name = AgentName::new(text).map_err(|error| invalid("name", error.problem))?;
        Ok(Self(name))
    }
}

/// A task id that can be one of this namespace.
pub(super) fn task_id(app: &AppState, text: &str) -> Result<TaskId, ApiError> {
    let id: TaskId = text
        .parse()
        .map_err(|_| invalid("id", "is not a task id"))?;
    if app.store.owns(&id) {
        Ok(id)
    } else {
        Err(no_task())
    }
}

/// The only variable part of the path.
async fn last_of_path(parts: &mut Parts, name: &'static str) -> Result<String, ApiError> {
    match Path::<String>::from_request_parts(parts, &()).await {
        Ok(Path(text)) => Ok(text),
        Err(_) => Err(invalid(name, "is not UTF-8")),
    }
}
