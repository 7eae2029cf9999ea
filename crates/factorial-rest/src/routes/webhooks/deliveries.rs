//! `GET /v1/webhooks/{id}/deliveries`, and the same of a task and of a batch.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use factorial_api::{Page, WebhookDelivery};
use factorial_core::{Delivery, Owners, StoreError, WebhookId};
use factorial_service::ApiError;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{AnyBatchInPath, AnyTaskInPath, Params, WebhookInPath},
    ownership,
    refusal::{no_batch, no_task, store_error},
};

/// Lists what was told to a webhook of an owner, newest first.
///
/// The last 200 deliveries, for three days. They come as one page.
#[utoipa::path(
    get, path = "/webhooks/{id}/deliveries", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the webhook"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 200, description = "Deliveries", body = Page<WebhookDelivery>)),
    extensions(("x-problem-codes" = json!(["webhook_not_found"]))),
)]
pub(crate) async fn list_webhook_deliveries(
    State(app): State<AppState>,
    caller: Caller,
    WebhookInPath(id): WebhookInPath,
    mut params: Params,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let webhook = owned(&app, id, owner.as_ref()).await?;
    let found = app.store.webhook_deliveries(&webhook.id).await;
    show(&app, found, &Owners::All).await
}

/// Lists what was told of a task, newest first.
///
/// To its own webhook: the last 200 deliveries, for three days, also when the task has expired. To those of its owner, and of
/// its batch: for about an hour. They come as one page.
#[utoipa::path(
    get, path = "/tasks/{id}/webhook-deliveries", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the task"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 200, description = "Deliveries", body = Page<WebhookDelivery>)),
    extensions(("x-problem-codes" = json!(["task_not_found"]))),
)]
pub(crate) async fn list_task_webhook_deliveries(
    State(app): State<AppState>,
    caller: Caller,
    AnyTaskInPath(id): AnyTaskInPath,
    mut params: Params,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let owners = ownership::scope(&caller, owner);
    let found = app.store.task_deliveries(&id).await;
    let page = show(&app, found, &owners).await?;
    if page.data.is_empty() {
        let record = app.store.task(&id).await.map_err(store_error)?;
        let seen = record.is_some_and(|record| owners.include(&record.owner));
        seen.then_some(()).ok_or_else(no_task)?;
    }
    Ok(page)
}

/// Lists what was told of a batch, newest first.
///
/// To its own webhook, of the batch and of its members: the last 200 deliveries, for three days, also when the batch has
/// expired. To those of its owner: for about an hour. They come as one page.
#[utoipa::path(
    get, path = "/batches/{id}/webhook-deliveries", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the batch"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 200, description = "Deliveries", body = Page<WebhookDelivery>)),
    extensions(("x-problem-codes" = json!(["batch_not_found"]))),
)]
pub(crate) async fn list_batch_webhook_deliveries(
    State(app): State<AppState>,
    caller: Caller,
    AnyBatchInPath(id): AnyBatchInPath,
    mut params: Params,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let owners = ownership::scope(&caller, owner);
    let found = app.store.batch_deliveries(&id).await;
    let page = show(&app, found, &owners).await?;
    if page.data.is_empty() {
        let batch = app.store.batch(&id).await.map_err(store_error)?;
        let seen = batch.is_some_and(|batch| owners.include(&batch.owner));
        seen.then_some(()).ok_or_else(no_batch)?;
    }
    Ok(page)
}

/// Those of the owner, with the URLs of webhooks.
pub(super) async fn show(
    app: &AppState,
    found: Result<Vec<Delivery>, StoreError>,
    owners: &Owners,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    let mut found = found.map_err(store_error)?;
    found.retain(|delivery| owners.include(&delivery.owner));
    let ids = found.iter().filter_map(|d| d.id.webhook().cloned());
    let mut ids: Vec<WebhookId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let webhooks = app.store.webhooks(&ids).await.map_err(store_error)?;
    let urls = webhooks.into_iter().flatten();
    let urls: BTreeMap<_, _> = urls.map(|w| (w.id, w.receiver.url)).collect();
    Ok(Json(Page {
        data: found
            .into_iter()
            .map(|delivery| convert::delivery(delivery, &urls))
            .collect(),
        next_cursor: None,
    }))
}
