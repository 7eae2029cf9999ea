//! `GET /v1/batches`

use axum::{Json, extract::State};
use factorial_api::{Batch, Page};
use factorial_service::ApiError;

use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Params, time_cursor, within},
    ownership,
    refusal::store_error,
};

const MOST: usize = 200;
const USUAL: usize = 50;

/// Lists batches, newest first.
///
/// The counts of members by state are those of now.
#[utoipa::path(
    get, path = "/batches", tag = "batches",
    params(
        ("owner_id" = Option<String>, Query, description = "Only this owner's"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most batches of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of batches", body = Page<Batch>)),
)]
pub(crate) async fn list_batches(
    State(app): State<AppState>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Page<Batch>>, ApiError> {
    let owner = ownership::in_params(&caller, &mut params);
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", time_cursor);
    params.finish()?;
    let page = app
        .store
        .list_batches(&ownership::scope(&caller, owner), cursor.as_deref(), limit)
        .await
        .map_err(store_error)?;
    Ok(Json(Page {
        data: page.batches.into_iter().map(convert::batch).collect(),
        next_cursor: page.next,
    }))
}
