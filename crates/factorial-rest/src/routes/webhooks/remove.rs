//! `DELETE /v1/webhooks/{id}`

use axum::extract::State;
use factorial_service::ApiError;
use http::StatusCode;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    extract::{Params, WebhookInPath},
    ownership,
    refusal::{no_webhook, store_error},
};

/// Removes a webhook of an owner.
///
/// What is still to be delivered to it is given up.
#[utoipa::path(
    delete, path = "/webhooks/{id}", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the webhook"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 204, description = "It is gone")),
    extensions(("x-problem-codes" = json!(["webhook_not_found"]))),
)]
pub(crate) async fn remove_webhook(
    State(app): State<AppState>,
    caller: Caller,
    WebhookInPath(id): WebhookInPath,
    mut params: Params,
) -> Result<StatusCode, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let webhook = owned(&app, id, owner.as_ref()).await?;
    let removed = app.store.remove_webhook(&webhook.id, &webhook.owner).await;
    if removed.map_err(store_error)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_webhook())
    }
}
