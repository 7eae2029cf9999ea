//! Names in paths.
//!
//! Invariant: a malformed name is 422, one that names nothing is 404.

use axum::extract::{FromRequestParts, Path};
use factorial_core::{AgentName, BatchId, DeliveryId, TaskId, WebhookId};
use factorial_service::ApiError;
use http::request::Parts;

use crate::{
    app::AppState,
    refusal::{invalid, no_batch, no_delivery, no_task},
};

/// `{id}`: a task id that can be one of this namespace.
pub(crate) struct TaskInPath(pub(crate) TaskId);

/// `{id}`: a batch id that can be one of this namespace.
pub(crate) struct BatchInPath(pub(crate) BatchId);

/// `{name}`: a well-formed name of an agent.
pub(crate) struct AgentInPath(pub(crate) AgentName);

/// `{id}`: a well-formed id of a webhook.
pub(crate) struct WebhookInPath(pub(crate) WebhookId);

/// `{id}`: an id of a delivery that can be one of this namespace.
pub(crate) struct DeliveryInPath(pub(crate) DeliveryId);

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

impl FromRequestParts<AppState> for WebhookInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id = WebhookId::new(text).map_err(|error| invalid("id", error.problem))?;
        Ok(Self(id))
    }
}

impl FromRequestParts<AppState> for DeliveryInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id = DeliveryId::new(&text).map_err(|error| invalid("id", error.problem))?;
        if id.partition().0 < app.store.partitions() {
            Ok(Self(id))
        } else {
            Err(no_delivery())
        }
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
