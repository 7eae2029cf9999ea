//! `POST /v1/keys/{id}/revoke`

use axum::{Json, extract::State};
use factorial_api::Key;
use factorial_service::ApiError;

use crate::{access, app::AppState, extract::KeyInPath};

/// Revokes a key.
///
/// Within a second it is refused everywhere, and its event streams, sockets and sessions end. Revoking it again is no error.
#[utoipa::path(
    post, path = "/keys/{id}/revoke", tag = "keys",
    params(("id" = String, Path, description = "Id of the key")),
    responses((status = 200, description = "The key, revoked", body = Key)),
    extensions(("x-problem-codes" = json!(["key_not_found", "store_full"]))),
)]
pub(crate) async fn revoke_key(
    State(app): State<AppState>,
    KeyInPath(id): KeyInPath,
) -> Result<Json<Key>, ApiError> {
    access::revoke_key(&app.store, id.as_str()).await.map(Json)
}
