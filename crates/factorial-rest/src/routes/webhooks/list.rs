//! `GET /v1/webhooks`

use axum::{Json, extract::State};
use factorial_api::{Page, Webhook};
use factorial_service::ApiError;

use crate::{
    access::Caller, app::AppState, convert, extract::Params, ownership, refusal::store_error,
};

/// Lists the webhooks of an owner, oldest first.
///
/// They are 16 at most, so there is one page.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks",
    params(("owner_id" = Option<String>, Query, description = "The owner; if absent, the only one that the key is bound to")),
    responses((status = 200, description = "All webhooks of the owner", body = Page<Webhook>)),
)]
pub(crate) async fn list_webhooks(
    State(app): State<AppState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Page<Webhook>>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let owner = ownership::required(&caller, owner)?;
    let webhooks = app.store.owner_webhooks(&owner).await;
    let webhooks = webhooks.map_err(store_error)?;
    Ok(Json(Page {
        data: webhooks.into_iter().map(convert::webhook).collect(),
        next_cursor: None,
    }))
}
