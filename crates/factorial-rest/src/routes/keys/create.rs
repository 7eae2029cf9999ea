//! `POST /v1/keys`

use axum::{Json as Answer, extract::State};
use factorial_api::{CreateKey, CreatedKey};
use factorial_service::ApiError;
use http::StatusCode;

use crate::{
    access::{Caller, make_key},
    app::AppState,
    extract::Json,
};

/// Makes a key.
///
/// Its secret is in this answer and nowhere else. It can be used at once.
#[utoipa::path(
    post, path = "/keys", tag = "keys",
    request_body = CreateKey,
    responses((status = 201, description = "The key, with its secret", body = CreatedKey)),
    extensions(("x-problem-codes" = json!(["too_many_keys", "store_full"]))),
)]
pub(crate) async fn create_key(
    State(app): State<AppState>,
    caller: Caller,
    Json(request): Json<CreateKey>,
) -> Result<(StatusCode, Answer<CreatedKey>), ApiError> {
    let created = make_key(&app.store, &request, caller.name()).await?;
    caller.note(&created.key.id, None);
    Ok((StatusCode::CREATED, Answer(created)))
}
