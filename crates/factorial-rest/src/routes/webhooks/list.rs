//! `GET /v1/webhooks`

use axum::{Json, extract::State};
use factorial_api::{Page, Webhook};
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::Params,
    ownership,
    refusal::{invalid, store_error},
};

/// Lists the webhooks of an owner, oldest first.
///
/// They are 16 at most, so there is one page.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks",
    params(("owner_id" = String, Query, description = "The owner")),
    responses((status = 200, description = "All webhooks of the owner", body = Page<Webhook>)),
)]
pub(crate) async fn list_webhooks(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<Page<Webhook>>, ApiError> {
    let owner = ownership::in_params(&mut params);
    params.finish()?;
    let owner = owner.ok_or_else(|| invalid("owner_id", "is missing"))?;
    let webhooks = app.store.owner_webhooks(&owner).await;
    let webhooks = webhooks.map_err(store_error)?;
    Ok(Json(Page {
        data: webhooks.into_iter().map(convert::webhook).collect(),
        next_cursor: None,
    }))
}
