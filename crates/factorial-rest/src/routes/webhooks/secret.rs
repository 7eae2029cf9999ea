//! `GET /v1/webhooks/secret`

use axum::{Json, extract::State};
use factorial_api::{OwnerSecret, SigningSecret};
use factorial_service::ApiError;
use secrecy::ExposeSecret as _;

use crate::{access::Caller, answers::owner_secret, app::AppState, extract::Params, ownership};

/// Tells what webhooks of an owner are signed with that have no secret of their own.
///
/// It follows from the secret of the namespace, and does not change.
#[utoipa::path(
    get, path = "/webhooks/secret", tag = "webhooks",
    params(("owner_id" = Option<String>, Query, description = "The owner; if absent, the only one that the key is bound to")),
    responses((status = 200, description = "The secret", body = OwnerSecret)),
)]
pub(crate) async fn get_webhook_secret(
    State(app): State<AppState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<OwnerSecret>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    params.finish()?;
    let owner = ownership::required(&caller, owner)?;
    let secret = owner_secret(&app.store, &owner).await?;
    Ok(Json(OwnerSecret {
        owner_id: owner.into(),
        secret: SigningSecret::new(secret.text().expose_secret()),
    }))
}
