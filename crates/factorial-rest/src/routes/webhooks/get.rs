//! `GET /v1/webhooks/{id}`

use axum::{Json, extract::State};
use factorial_api::Webhook;
use factorial_service::ApiError;

use super::owned;
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, WebhookInPath},
    ownership,
};

/// Shows a webhook of an owner.
///
/// Its secret is not shown.
#[utoipa::path(
    get, path = "/webhooks/{id}", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the webhook"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 200, description = "The webhook", body = Webhook)),
    extensions(("x-problem-codes" = json!(["webhook_not_found"]))),
)]
pub(crate) async fn get_webhook(
    State(app): State<AppState>,
    caller: Caller,
    WebhookInPath(id): WebhookInPath,
    mut params: Params,
) -> Result<Json<Webhook>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let webhook = owned(&app, id, owner.as_ref()).await?;
    Ok(Json(convert::webhook(webhook)))
}
