//! Names in paths.
//!
//! Invariants: a malformed name is 422, one that names nothing is 404, and so is one that names what the caller may not see.

use axum::extract::{FromRequestParts, Path};
use factorial_core::{
    AgentName, BatchId, DeliveryId, KeyId, OwnerId, StoreError, TaskId, WebhookId,
};
use factorial_service::ApiError;
use http::{Method, request::Parts};

use crate::{
    access::Caller,
    app::AppState,
    refusal::{invalid, no_batch, no_delivery, no_task, no_webhook, store_error},
};

/// `{id}`: a task id that can be one of this namespace, and is not one of a task that the caller may not see.
pub(crate) struct TaskInPath(pub(crate) TaskId);

/// `{id}`: a task id that can be one of this namespace. Whoever takes it sees to whose it is.
pub(crate) struct AnyTaskInPath(pub(crate) TaskId);

/// `{id}`: a batch id that can be one of this namespace, and is not one of a batch that the caller may not see.
pub(crate) struct BatchInPath(pub(crate) BatchId);

/// `{id}`: a batch id that can be one of this namespace. Whoever takes it sees to whose it is.
pub(crate) struct AnyBatchInPath(pub(crate) BatchId);

/// `{id}`: a well-formed id of a key.
pub(crate) struct KeyInPath(pub(crate) KeyId);

/// `{name}`: a well-formed name of an agent.
pub(crate) struct AgentInPath(pub(crate) AgentName);

/// `{id}`: a well-formed id of a webhook.
pub(crate) struct WebhookInPath(pub(crate) WebhookId);

/// `{id}`: an id of a delivery that can be one of this namespace.
pub(crate) struct DeliveryInPath(pub(crate) DeliveryId);

impl FromRequestParts<AppState> for TaskInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let AnyTaskInPath(id) = AnyTaskInPath::from_request_parts(parts, app).await?;
        check_task(parts, app, &id).await?;
        Ok(Self(id))
    }
}

impl FromRequestParts<AppState> for AnyTaskInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        task_id(app, &text).map(Self)
    }
}

impl FromRequestParts<AppState> for BatchInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let AnyBatchInPath(id) = AnyBatchInPath::from_request_parts(parts, app).await?;
        let owner = async {
            let batch = app.store.batch(&id).await?;
            Ok(batch.map(|batch| batch.owner))
        };
        check(parts, id.as_str(), owner, no_batch).await?;
        Ok(Self(id))
    }
}

impl FromRequestParts<AppState> for AnyBatchInPath {
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

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "name").await?;
        let name = AgentName::new(text).map_err(|error| invalid("name", error.problem))?;
        Caller::from_request_parts(parts, app)
            .await?
            .note(&name, None);
        Ok(Self(name))
    }
}

impl FromRequestParts<AppState> for KeyInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id = KeyId::new(text).map_err(|error| invalid("id", error.problem))?;
        Caller::from_request_parts(parts, app)
            .await?
            .note(&id, None);
        Ok(Self(id))
    }
}

impl FromRequestParts<AppState> for WebhookInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id = WebhookId::new(text).map_err(|error| invalid("id", error.problem))?;
        let owner = async {
            let mut found = app.store.webhooks(std::slice::from_ref(&id)).await?;
            Ok(found.pop().flatten().map(|webhook| webhook.owner))
        };
        check(parts, id.as_str(), owner, no_webhook).await?;
        Ok(Self(id))
    }
}

impl FromRequestParts<AppState> for DeliveryInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        let text = last_of_path(parts, "id").await?;
        let id = DeliveryId::new(&text).map_err(|error| invalid("id", error.problem))?;
        if id.partition().0 >= app.store.partitions() {
            return Err(no_delivery());
        }
        let owner = async {
            let delivery = app.store.delivery(&id).await?;
            Ok(delivery.map(|delivery| delivery.owner))
        };
        check(parts, id.as_str(), owner, no_delivery).await?;
        Ok(Self(id))
    }
}

/// Makes sure that the caller may see a task.
///
/// # Errors
/// `task_not_found`, or the store does not answer.
pub(super) async fn check_task(
    parts: &mut Parts,
    app: &AppState,
    id: &TaskId,
) -> Result<(), ApiError> {
    check(parts, id.as_str(), app.store.task_owner(id), no_task).await
}

/// Makes sure that the caller may see something, by its owner; who that is, is looked up only if the caller does not see all,
/// or something is to be changed, which the audit log tells with the owner.
async fn check(
    parts: &mut Parts,
    subject: &str,
    owner: impl Future<Output = Result<Option<OwnerId>, StoreError>>,
    missing: fn() -> ApiError,
) -> Result<(), ApiError> {
    let caller = Caller::from_request_parts(parts, &()).await?;
    caller.note(subject, None);
    if caller.owners().are_all() && parts.method == Method::GET {
        return Ok(());
    }
    let owner = owner.await.map_err(store_error)?.ok_or_else(missing)?;
    if !caller.owners().include(&owner) {
        return Err(missing());
    }
    caller.note(subject, Some(&owner));
    Ok(())
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
