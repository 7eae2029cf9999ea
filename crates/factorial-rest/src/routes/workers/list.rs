//! `GET /v1/workers`

use axum::{Json, extract::State};
use factorial_api::{Page, Worker};
use factorial_core::WorkerId;
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::{Params, within},
    refusal::store_error,
    routes::cut,
};

const MOST: usize = 1000;
const USUAL: usize = 200;

/// Lists the workers whose heartbeat has not lapsed, by id.
///
/// With their agents, slots and version, and whether they are draining.
#[utoipa::path(
    get, path = "/workers", tag = "workers",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Most workers of a page; 200 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of workers", body = Page<Worker>)),
)]
pub(crate) async fn list_workers(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<Page<Worker>>, ApiError> {
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| {
        WorkerId::new(text).map_err(|_| "is not a cursor of this list")
    });
    params.finish()?;
    let mut workers = app.store.workers().await.map_err(store_error)?;
    workers.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let cursor = cursor.map(String::from);
    let page = cut(workers, cursor.as_deref(), limit, |worker| {
        worker.id.as_str()
    });
    Ok(Json(Page {
        data: page.data.into_iter().map(convert::worker).collect(),
        next_cursor: page.next_cursor,
    }))
}
