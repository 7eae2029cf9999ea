//! `POST /v1/webhook-deliveries/{id}/retry`

use axum::{Json, extract::State};
use factorial_api::WebhookDelivery;
use factorial_core::Owners;
use factorial_service::ApiError;

use super::deliveries::show;
use crate::{
    access::Caller,
    app::AppState,
    extract::{DeliveryInPath, Params},
    ownership,
    refusal::{no_delivery, store_error},
};

/// Tries a delivery again.
///
/// At once, whether it was delivered, given up or is to be tried later; if that fails, as often as a new one. The receiver gets
/// the same `webhook-id` as before.
#[utoipa::path(
    post, path = "/webhook-deliveries/{id}/retry", tag = "webhooks",
    params(
        ("id" = String, Path, description = "Id of the delivery"),
        ("owner_id" = Option<String>, Query, description = "Only if it is this owner's"),
    ),
    responses((status = 200, description = "The delivery, pending", body = WebhookDelivery)),
    extensions(("x-problem-codes" = json!(["delivery_not_found"]))),
)]
pub(crate) async fn retry_webhook_delivery(
    State(app): State<AppState>,
    caller: Caller,
    DeliveryInPath(id): DeliveryInPath,
    mut params: Params,
) -> Result<Json<WebhookDelivery>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let queued = app.store.retry_delivery(&id, owner.as_ref()).await;
    if !queued.map_err(store_error)? {
        return Err(no_delivery());
    }
    let found = app.store.delivery(&id).await;
    let found = found.map(|delivery| delivery.into_iter().collect());
    let Json(page) = show(&app, found, &Owners::All).await?;
    page.data
        .into_iter()
        .next()
        .map(Json)
        .ok_or_else(no_delivery)
}
