//! `GET /v1/audit`

use axum::{Json, extract::State};
use factorial_api::{AuditEntry, Page};
use factorial_core::is_audit_cursor;
use factorial_service::ApiError;

use crate::{
    app::AppState,
    convert,
    extract::{Params, within},
    refusal::store_error,
};

const MOST: usize = 1000;
const USUAL: usize = 100;

/// Lists who changed what, newest first.
///
/// Each change over this interface and over the dashboard, and each that a known caller was refused, a moment after its
/// answer. About the last 10,000 are kept, or as many as `auth.audit_entries` says.
#[utoipa::path(
    get, path = "/audit", tag = "keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Most entries of a page; 100 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of entries", body = Page<AuditEntry>)),
)]
pub(crate) async fn list_audit_entries(
    State(app): State<AppState>,
    mut params: Params,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let limit = params.take("limit", within(1..=MOST)).unwrap_or(USUAL);
    let cursor = params.take("cursor", |text| {
        let sound = is_audit_cursor(text).then(|| text.to_owned());
        sound.ok_or("is not a cursor of this list")
    });
    params.finish()?;
    let page = app.store.audit(cursor.as_deref(), limit).await;
    let page = page.map_err(store_error)?;
    Ok(Json(Page {
        data: page.entries.into_iter().map(convert::audit_entry).collect(),
        next_cursor: page.next,
    }))
}
