//! `GET /v1/webhooks/secret`

use axum::{Json, extract::State};
use factorial_api::{OwnerSecret, SigningSecret};
use factorial_service::ApiError;
use secrecy::ExposeSecret as _;

use crate::{answers::owner_secret, app::AppState, extract::Params, ownership, refusal::invalid};

/// Tells what webhooks of an owner are signed with that have no secret of their own.
///
/// It follows from the secret of the namespace, and does not change.
#[utoipa::path(
    get, path = "/webhooks/secret", tag = "webhooks",
    params(("owner_id" = String, Query, description = "The owner")),
    responses((status = 200, description = "The secret", body = OwnerSecret)),
)]
pub(crate) async fn get_webhook_secret(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<OwnerSecret>, ApiError> {
    let owner = ownership::in_params(&mut params);
    params.finish()?;
    let owner = owner.ok_or_else(|| invalid("owner_id", "is missing"))?;
    let secret = owner_secret(&app.store, &owner).await?;
    Ok(Json(OwnerSecret {
        owner_id: owner.into(),
        secret: SigningSecret::new(secret.text().expose_secret()),
    }))
}
