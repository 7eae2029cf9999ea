//! `GET /v1/keys`

use axum::{Json, extract::State};
use factorial_api::{Key, Page};
use factorial_core::KeyId;
use factorial_service::ApiError;

use crate::{
    access,
    app::AppState,
    extract::{Params, within},
};

const MOST: usize = 1000;
const USUAL: usize = 200;

/// Lists the keys by id, also those that have expired or were revoked.
///
/// Without their secrets, of which hashes alone are kept.
#[utoipa::path(
    get, path = "/keys", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Most keys of a page; 200 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of keys", body = Page<Key>)),
)]
pub(crate) async fn list_keys(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<Page<Key>>, ApiError> {
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| {
        KeyId::new(text).map_err(|_| "is not a cursor of this list")
    });
    params.finish()?;
    let (data, next_cursor) = access::list_keys(&app.store, cursor.as_ref(), limit).await?;
    Ok(Json(Page { data, next_cursor }))
}
