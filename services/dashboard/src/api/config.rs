//! `GET config`

use axum::{Json, extract::State};
use factorial_api::DashboardConfig;

use crate::app::App;

/// Shows what the page is to call itself.
///
/// Taken from its configuration; it does not change while it runs.
#[utoipa::path(
    get, path = "/config", tag = "service",
    responses((status = 200, description = "Name and version", body = DashboardConfig)),
)]
pub(crate) async fn get_config(State(app): State<App>) -> Json<DashboardConfig> {
    Json(DashboardConfig {
        name: app.options.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        docs_url: app.options.api_docs.clone(),
    })
}
