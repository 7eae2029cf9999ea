//! `GET /v1/approvals`

use axum::{Json, extract::State};
use factorial_api::{AskedCall, AskedCallPage, Page};
use factorial_core::WaitKind;
use factorial_service::ApiError;

use crate::{access::Caller, app::AppState, extract::Params, routes::tool_calls::inbox};

/// Lists the calls that wait for an approval, of all tasks, oldest first.
///
/// A page can be shorter than `limit`, or empty, and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/approvals", tag = "approvals",
    params(
        ("owner_id" = Option<String>, Query, description = "Only of this owner's tasks"),
        ("agent" = Option<String>, Query, description = "Only of this agent's tasks"),
        ("older_than_seconds" = Option<u64>, Query, minimum = 0, description = "Only those that wait for longer"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Most items of a page; 50 if absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "A page of what waits", body = Page<AskedCall>)),
)]
pub(crate) async fn list_approvals(
    State(app): State<AppState>,
    caller: Caller,
    params: Params,
) -> Result<Json<AskedCallPage>, ApiError> {
    inbox(&app, &caller, WaitKind::Approval, params)
        .await
        .map(Json)
}
