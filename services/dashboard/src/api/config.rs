//! `GET config`

use axum::{Json, extract::State};
use factorial_api::DashboardConfig;
use factorial_rest::Caller;

use crate::app::App;

/// Shows what the page is to call itself, and who looks at it.
///
/// Taken from its configuration, and from the key or the session of the request.
#[utoipa::path(
    get, path = "/config", tag = "service",
    responses((status = 200, description = "Name, version and caller", body = DashboardConfig)),
)]
pub(crate) async fn get_config(State(app): State<App>, caller: Caller) -> Json<DashboardConfig> {
    let known = app.rest.needs_keys().then(|| caller.shown());
    Json(DashboardConfig {
        caller: known,
        name: app.options.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        docs_url: app.options.api_docs.clone(),
    })
}
